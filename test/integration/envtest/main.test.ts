import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { exists, processesNaming } from './support.js';

const MAIN = fileURLToPath(new URL('../../../tools/envtest/main.js', import.meta.url));

describe('the envtest command', function () {
  this.timeout(CONTROL_PLANE_TIMEOUT_MS);

  before(function () {
    if (process.env.USE_EXISTING_CLUSTER === 'true') this.skip();
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`says how to reach the control plane, and leaves nothing after ${signal}`, async () => {
      const child = spawn(process.execPath, [MAIN], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (line.startsWith('Ctrl-C')) break;
      }
      const path = lines.find((line) => line.startsWith('export KUBECONFIG='))?.split('=')[1] ?? '';
      expect(await exists(path)).to.equal(true);
      child.kill(signal);
      expect(await exited).to.deep.equal([0, null]);
      expect(await processesNaming(dirname(path))).to.deep.equal([]);
      expect(await exists(dirname(path))).to.equal(false);
    });
  }
});
