export interface BuildAssetsOptions {
  moduleDir: string;
  cacheDir: string;
  env: Readonly<Record<string, string | undefined>>;
  logger?: ((line: string) => void) | undefined;
}
export async function buildAssets(_options: BuildAssetsOptions): Promise<void> {
  throw new Error('not yet');
}
