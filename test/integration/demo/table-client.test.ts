import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { KubeConfigAccess } from '../../../src/runtime/kube/access/kubeconfig-access.js';
import { KubeApiError } from '../../../src/runtime/kube/kube-errors.js';
import { TableClient, type TableEvent } from '../../../tools/demo/table-client.js';
import { portOf } from '../../support/loopback.js';

const THINGS = { group: '', version: 'v1', plural: 'things', kind: 'Thing', namespaced: false };
const COLUMNS = [{ name: 'Name', priority: 0 }];

interface Answer {
  status: number;
  body: string;
  retryAfter?: string;
}

function table(name: string, columnDefinitions: object[] | null = COLUMNS) {
  const metadata = { uid: name, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { kind: 'Table', columnDefinitions, rows: [{ cells: [name], object: { metadata } }] };
}

const BUSY: Answer = {
  status: 429,
  retryAfter: '0',
  body: JSON.stringify({ kind: 'Status', message: 'storage is (re)initializing', code: 429 }),
};

describe('The client of tables', () => {
  let server: Server;
  let client: TableClient;
  let answers: Answer[];
  let accepted: (string | undefined)[];

  beforeEach(async () => {
    accepted = [];
    server = createServer((request, response) => {
      accepted.push(request.headers.accept);
      const { status, body, retryAfter } = answers.shift() ?? { status: 500, body: '{}' };
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
      response.end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'test', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: 'test' },
    );
    client = TableClient.create({ access: KubeConfigAccess.create(kubeConfig) });
  });

  afterEach(async () => {
    await client.close();
    server.close();
  });

  it('asks for the table that the server prints, as kubectl does', async () => {
    answers = [{ status: 200, body: JSON.stringify(table('a')) }];
    expect((await client.list(THINGS)).rows.map(({ cells }) => cells)).to.deep.equal([['a']]);
    expect(accepted).to.deep.equal(['application/json;as=Table;v=v1;g=meta.k8s.io']);
  });

  it('asks again where the server is too busy, as it is with a kind that is new to it', async () => {
    answers = [BUSY, BUSY, { status: 200, body: JSON.stringify(table('a')) }];
    expect((await client.list(THINGS)).rows).to.have.length(1);
  });

  it('gives up on a server that stays too busy, and says what it said', async () => {
    answers = Array<Answer>(20).fill(BUSY);
    const error = await client.list(THINGS).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(KubeApiError);
    expect(error).to.have.property('message', 'storage is (re)initializing');
    expect(accepted).to.have.length(10);
  });

  it('reports each change of a watch, with the columns that only the first one names', async () => {
    const lines = [
      { type: 'ADDED', object: table('a') },
      { type: 'DELETED', object: table('a', null) },
    ];
    answers = [{ status: 200, body: lines.map((line) => JSON.stringify(line)).join('\n') }];
    const events: TableEvent[] = [];
    for await (const event of client.watch(THINGS, new AbortController().signal)) {
      events.push(event);
    }
    expect(events.map(({ type, columns, row }) => [type, columns, row.cells])).to.deep.equal([
      ['ADDED', ['Name'], ['a']],
      ['DELETED', ['Name'], ['a']],
    ]);
  });

  it('throws what the server reports within a watch', async () => {
    const status = { kind: 'Status', message: 'too old', code: 410 };
    answers = [{ status: 200, body: JSON.stringify({ type: 'ERROR', object: status }) }];
    const error = await client
      .watch(THINGS, new AbortController().signal)
      .next()
      .catch((e: unknown) => e);
    expect(error).to.have.property('message', 'too old');
  });
});
