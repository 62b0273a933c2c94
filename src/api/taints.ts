/** A taint of a Node; its value does not matter here. */
export interface Taint {
  key: string;
  effect: string;
}

/**
 * `key:Effect`, as kubelet's `--register-with-taints` and `spec.startupTaint` write a taint without a value.
 */
export function taintName({ key, effect }: Taint): string {
  return `${key}:${effect}`;
}
