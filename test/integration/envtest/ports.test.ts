import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { freePort, onFreePorts } from '../../../tools/envtest/ports.js';
import { ProcessStartError } from '../../../tools/envtest/supervised-process.js';

const portInUse = new ProcessStartError('etcd', 'ended', 'listen: bind: address already in use');

describe('onFreePorts', () => {
  it('gives ports that can be listened on, below every ephemeral range', async () => {
    const port = await freePort();
    expect(port).to.be.within(20_000, 32_767);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });

  it('tries other ports when a process finds one taken', async () => {
    const tried: number[][] = [];
    const result = await onFreePorts(2, async (ports) => {
      tried.push(ports);
      if (tried.length < 3) throw portInUse;
      return 'started';
    });
    expect(result).to.equal('started');
    expect(tried).to.have.length(3);
    expect(new Set(tried.map(String)).size).to.equal(3);
    for (const ports of tried) expect(new Set(ports).size).to.equal(2);
  });

  it('gives up when every attempt finds a port taken', async () => {
    let attempts = 0;
    const error = await onFreePorts(1, async () => {
      attempts++;
      throw portInUse;
    }).catch((error: unknown) => error);
    expect(error).to.equal(portInUse);
    expect(attempts).to.equal(10);
  });

  it('does not repeat a start that fails for another reason', async () => {
    let attempts = 0;
    const reason = new ProcessStartError('etcd', 'ended', 'unknown flag');
    const error = await onFreePorts(1, async () => {
      attempts++;
      throw reason;
    }).catch((error: unknown) => error);
    expect(error).to.equal(reason);
    expect(attempts).to.equal(1);
  });
});
