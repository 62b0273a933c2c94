import { type ExecFileException, execFile } from 'node:child_process';
import {
  type GoProgram,
  GoProgramError,
  goProgram,
} from '../../../../tools/go-program/go-program.js';
import { type Manifest, parseManifests } from '../../deploy/support/manifest.js';

export const HELM: GoProgram = { path: 'helm.sh/helm/v4/cmd/helm', version: 'v4.3.1' };
export const CHART = 'charts/eni-operator';

/** Go fetches and builds helm once, into the user's cache, in milliseconds. */
export const HELM_BUILD_MS = 600_000;

export interface HelmResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** helm, built from its Go module. */
export class Helm {
  private constructor(private readonly program: string) {}

  /** Skips the tests where helm cannot be built, but not in CI. */
  static async need(context: Mocha.Context): Promise<Helm> {
    context.timeout(HELM_BUILD_MS);
    try {
      return new Helm(await goProgram(HELM));
    } catch (error) {
      if (error instanceof GoProgramError && !process.env.CI) return context.skip();
      throw error;
    }
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<HelmResult> {
    const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 24 };
    return new Promise((resolve) => {
      execFile(
        this.program,
        [...args],
        options,
        (error: ExecFileException | null, stdout, stderr) => {
          resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
        },
      );
    });
  }

  /**
   * The objects of a release in eni-system.
   * @throws Error with what helm says
   */
  async template(...args: string[]): Promise<Manifest[]> {
    const { code, stdout, stderr } = await this.run([
      ...['template', 'eni-operator', CHART, '--namespace', 'eni-system', ...args],
    ]);
    if (code !== 0) throw new Error(stderr);
    return parseManifests(stdout);
  }
}
