import { expect } from 'chai';
import { UncachedAttachments } from '../../../../src/reconcilers/orphaned-eni/uncached-attachments.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { anENIAttachment } from '../../../support/objects.js';
import { useFakeTime } from '../../runtime/support/fake-timers.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';

describe('UncachedAttachments', () => {
  const time = useFakeTime();

  const aPage = (names: string[], next?: string) => ({
    items: names.map((name) => anENIAttachment({ name })),
    resourceVersion: '1',
    ...(next === undefined ? {} : { continue: next }),
  });
  const setUp = () => {
    const client = stubbedKubeClient();
    return { client, attachments: UncachedAttachments.create({ client, clock: systemClock }) };
  };

  it('finds an attachment by its UID on whichever page it is', async () => {
    const { client, attachments } = setUp();
    client.list.onFirstCall().resolves(aPage(['a', 'b'], 'more'));
    client.list.onSecondCall().resolves(aPage(['c']));
    const answers = Promise.all(
      ['uid-of-c', 'uid-of-a', 'uid-of-x'].map((uid) => attachments.has(uid)),
    );
    await time.tick(100);
    expect(await answers).to.deep.equal([true, true, false]);
    const pages = client.list.args.map(([, options]) => options);
    expect(pages.map((options) => options?.continue)).to.deep.equal([undefined, 'more']);
  });

  it('asks for the newest state, of all attachments, whatever their labels', async () => {
    const { client, attachments } = setUp();
    client.list.resolves(aPage([]));
    const answer = attachments.has('uid-of-a');
    await time.tick(100);
    await answer;
    const [resource, options] = client.list.firstCall.args;
    expect(resource.plural).to.equal('eniattachments');
    expect(options).to.not.have.any.keys('resourceVersion', 'labelSelector', 'fieldSelector');
  });

  it('answers each question by a listing that began after it', async () => {
    const { client, attachments } = setUp();
    client.list.onFirstCall().resolves(aPage([]));
    client.list.onSecondCall().resolves(aPage(['a']));
    const first = attachments.has('uid-of-a');
    await time.tick(100);
    const second = attachments.has('uid-of-a');
    await time.tick(1_000);
    expect([await first, await second]).to.deep.equal([false, true]);
  });

  it('knows nothing where a page cannot be had', async () => {
    const { client, attachments } = setUp();
    client.list.onFirstCall().resolves(aPage(['b'], 'more'));
    client.list.onSecondCall().rejects(new Error('the token has expired'));
    const answer = attachments.has('uid-of-a').catch((error: Error) => error.message);
    await time.tick(100);
    expect(await answer).to.equal('the token has expired');
  });
});
