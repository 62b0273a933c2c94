/**
 * Sets each device that appears up with an MTU, by two programs of iproute2 that are kept running. Prints a line
 * once it listens.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isSubject, MTU } from './subject.js';

const POKE_MS = 20;

const batch = spawn('ip', ['-force', '-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
const monitor = spawn('ip', ['-oneline', 'monitor', 'link'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
createInterface({ input: monitor.stdout }).on('line', (line) => {
  const [, name, flags] = /^\d+: ([^:@]+)[^<]*<([^>]*)>/.exec(line) ?? [];
  if (!name || !isSubject(name) || flags?.split(',').includes('UP')) return;
  batch.stdin.write(`link set dev ${name} mtu ${MTU}\nlink set dev ${name} up\n`);
});
// It does not say when it listens: it is given something to hear of until it does.
const poke = setInterval(() => batch.stdin.write('link set lo down\nlink set lo up\n'), POKE_MS);
monitor.stdout.once('data', () => {
  clearInterval(poke);
  console.log('ready');
});
process.stdin
  .on('end', () => {
    monitor.kill();
    batch.stdin.end();
  })
  .resume();
