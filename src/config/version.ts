import packageJson from '../../package.json' with { type: 'json' };

/** The version of the operator, as `--version`, the log and `eni_build_info` report it. */
export const VERSION: string = packageJson.version;
