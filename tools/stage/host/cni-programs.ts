import { dirname } from 'node:path';
import {
  builtGoProgram,
  type GoProgram,
  type GoProgramOptions,
  goProgram,
} from '../../go-program/go-program.js';

const PLUGINS = 'github.com/containernetworking/plugins/plugins';
const PLUGINS_VERSION = 'v1.7.1';
const MULTUS = 'gopkg.in/k8snetworkplumbingwg/multus-cni.v4';

const PROGRAMS = {
  /** Multus' thin plugin. */
  multus: { module: MULTUS, path: `${MULTUS}/cmd/multus`, version: 'v4.2.2' },
  ptp: { path: `${PLUGINS}/main/ptp`, version: PLUGINS_VERSION },
  ipvlan: { path: `${PLUGINS}/main/ipvlan`, version: PLUGINS_VERSION },
  hostLocal: { path: `${PLUGINS}/ipam/host-local`, version: PLUGINS_VERSION },
} satisfies Record<string, GoProgram>;

/** Multus, and the reference CNI plugins that it calls. */
export interface CniPrograms {
  multus: string;
  /** The plugins' folders, as CNI_PATH. */
  path: string;
}

/** Builds them, once on a machine: Multus takes minutes. @throws GoProgramError */
export async function cniPrograms(options: GoProgramOptions = {}): Promise<CniPrograms> {
  const { multus, ptp, hostLocal } = PROGRAMS;
  return of(
    await goProgram(multus, options),
    await goProgram(ptp, options),
    await goProgram(hostLocal, options),
  );
}

/** These, and the plugin ipvlan. @throws GoProgramError */
export async function withIpvlan({ multus, path }: CniPrograms): Promise<CniPrograms> {
  return { multus, path: `${path}:${dirname(await goProgram(PROGRAMS.ipvlan))}` };
}

/** The same, if all of them are built already. */
export async function builtCniPrograms(): Promise<CniPrograms | undefined> {
  const { multus, ptp, hostLocal } = PROGRAMS;
  const built = await Promise.all([multus, ptp, hostLocal].map(builtGoProgram));
  const [first, ...others] = built.filter((path) => path !== undefined);
  return first !== undefined && built.every(Boolean) ? of(first, ...others) : undefined;
}

function of(multus: string, ...plugins: string[]): CniPrograms {
  return { multus, path: plugins.map((plugin) => dirname(plugin)).join(':') };
}
