import { expect } from 'chai';
import type { HostRule } from '../../../../src/agent/host/host-network.js';
import { OWN_PROTOCOL } from '../../../../src/agent/host/own-ids.js';
import { HostSweeper } from '../../../../src/agent/sweep/host-sweeper.js';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { FakeHost } from '../../../support/fake-host.js';
import { anENIAttachment } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const tableBase = 21_000;

function ruleOf(deviceIndex: number): HostRule {
  const table = tableBase + deviceIndex;
  const from = `10.0.64.${deviceIndex}/32`;
  return { family: 4, priority: table, from, table, protocol: OWN_PROTOCOL };
}

describe('HostSweeper', () => {
  let attachments: IndexedStore<ENIAttachment>;
  let network: FakeHost;

  beforeEach(() => {
    attachments = IndexedStore.create<ENIAttachment>();
    network = new FakeHost();
  });

  const arrive = (deviceIndex: number) =>
    attachments.put(`a${deviceIndex}`, anENIAttachment({ spec: { deviceIndex } }));

  async function sweep(): Promise<HostRule[]> {
    const sweeper = new HostSweeper({ attachments, network, tableBase });
    const context = { logger: new RecordingLogger(), reconcileID: '1' };
    await sweeper.reconcile('host', { ...context, signal: new AbortController().signal });
    return network.state.rules;
  }

  it('removes the agent’s rules of no attachment, and no others', async () => {
    arrive(1);
    const foreign = { ...ruleOf(3), protocol: 4 };
    network.state.rules = [ruleOf(1), ruleOf(2), foreign];
    expect(await sweep()).to.deep.equal([ruleOf(1), foreign]);
  });

  it('leaves the rules of an attachment that arrives while it reads the host', async () => {
    network.state.rules = [ruleOf(2)];
    network.links = async () => {
      arrive(1);
      network.state.rules.push(ruleOf(1));
      return [];
    };
    expect(await sweep()).to.deep.equal([ruleOf(1)]);
  });
});
