import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Counter, Registry } from 'prom-client';
import { systemClock } from '../../../../src/runtime/clock.js';
import { HttpServer, metricsHandler } from '../../../../src/runtime/serving/http-server.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';

describe('a server that probes depend on', () => {
  let server: HttpServer;
  let sockets: Socket[];
  let rendered: number;

  beforeEach(async () => {
    sockets = [];
    rendered = 0;
    const registry = new Registry();
    new Counter({
      name: 'asked_total',
      help: 'How often the text was rendered.',
      registers: [registry],
      collect() {
        rendered += 1;
        this.inc();
      },
    });
    server = await HttpServer.start({
      name: 'metrics',
      setting: 'METRICS_ADDRESS',
      address: { host: '127.0.0.1', port: 0 },
      handler: metricsHandler({ registry, clock: { ...systemClock, now: () => 0 } }),
      logger: silentLogger,
    });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  async function open(): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  const probe = async () => (await fetch(`http://127.0.0.1:${server.port}/metrics`)).status;

  it('ends a connection whose next request comes while the first is being answered', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_800));
    await closed;
    expect(rendered).to.be.at.most(1);
    expect(await probe()).to.equal(200);
  });

  it('renders one text for all who ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, probe));
    expect(new Set(answers)).to.deep.equal(new Set([200]));
    expect(rendered).to.equal(1);
  });

  it('lets probes in past 150 connections that say nothing', async () => {
    for (let count = 0; count < 150; count++) await open();
    for (let count = 0; count < 17; count++) expect(await probe()).to.equal(200);
  });

  it('serves one connection again and again, one request after the other', async () => {
    const socket = await open();
    for (let count = 0; count < 3; count++) {
      socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
      const [answer] = await once(socket, 'data');
      expect(String(answer)).to.include('200 OK');
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('cuts off a request with a body', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n');
    await closed;
    expect(rendered).to.equal(0);
  });
});
