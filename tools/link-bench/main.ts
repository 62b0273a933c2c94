#!/usr/bin/env node
/**
 * How long a device that appears on a host is down yet, set up by the agent's rtnetlink code and by iproute2; what
 * memory that takes. Needs root and iproute2.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NetworkNamespace } from '../../test/support/namespaces.js';
import { residentMiB } from './memory.js';
import { Observer } from './observer.js';
import { subjectName } from './subject.js';

const DEVICES = 100;
/** Cables of other pods on the host. */
const PODS = 100;

async function measure(means: 'rtnetlink' | 'iproute2') {
  const namespace = await NetworkNamespace.create('bench');
  try {
    for (let pod = 0; pod < PODS; pod++) {
      await namespace.ip(`link add pod${pod} type veth peer name c${pod}`);
    }
    const observer = await Observer.start(namespace);
    const program = fileURLToPath(new URL(`./${means}.js`, import.meta.url));
    const configurator = namespace.spawn(process.execPath, [program]);
    await once(configurator.stdout, 'data');
    for (let device = 0; device < DEVICES; device++) {
      const name = subjectName(device);
      await namespace.ip(`link add ${name} type veth peer name p${device}`);
      await observer.up(name);
    }
    const memoryMiB = await residentMiB(configurator.pid ?? 0);
    const delays = observer.end();
    configurator.stdin.end();
    await once(configurator, 'exit');
    return {
      means,
      'median ms': round(delays[Math.floor(delays.length / 2)] ?? Number.NaN),
      'worst ms': round(delays.at(-1) ?? Number.NaN),
      'RSS MiB': round(memoryMiB),
    };
  } finally {
    await namespace.delete();
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;

console.table([await measure('rtnetlink'), await measure('iproute2')]);
