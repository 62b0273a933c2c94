import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DescribeNetworkInterfacesCommand,
  EC2Client,
  NetworkInterface$,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import fc from 'fast-check';
import { enisOf } from '../../../../src/aws/sdk/read-eni-pages.js';
import { createEc2Client } from '../../../../src/aws/sdk/sdk-client.js';

/** An element: its text, or its children; a list's children have the name `item`. */
type Xml = string | readonly (readonly [name: string, value: Xml])[];

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** The same text in each way in which XML can have it. */
const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  (text) => text.replaceAll(/[&<>"']/g, (found) => `&#x${found.charCodeAt(0).toString(16)};`),
  (text) => `<![CDATA[${text.replaceAll(']]>', '')}]]>`,
];

/** What may stand between elements. */
const BETWEEN = [
  '',
  '\n    ',
  '<!-- <item> -->',
  '<unknown a="/>" b=\'>\'><item>1</item></unknown>',
  '<empty/>',
];

/** Texts without characters that XML cannot have, and with line ends as XML has them. */
const TEXT = fc
  .string({ unit: 'grapheme', maxLength: 24 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is left out.
  .map((text) => text.replaceAll(/[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/gu, '').trim());
const FLAG = fc.boolean().map(String);
const NUMBER = fc.nat({ max: 500_000 }).map(String);

function list(of: fc.Arbitrary<Xml>): fc.Arbitrary<Xml> {
  return fc
    .array(of, { maxLength: 3 })
    .map((items) => items.map((item) => ['item', item] as const));
}

function structure(fields: Record<string, fc.Arbitrary<Xml>>): fc.Arbitrary<Xml> {
  return fc.record(fields, { requiredKeys: [] }).map((record) => Object.entries(record) as Xml);
}

const ENI = fc.tuple(
  TEXT.map((id) => ['networkInterfaceId', `eni-${id}`] as const),
  structure({
    status: TEXT,
    subnetId: TEXT,
    vpcId: TEXT,
    availabilityZone: TEXT,
    description: TEXT,
    macAddress: TEXT,
    privateIpAddress: TEXT,
    privateIpAddressesSet: list(structure({ privateIpAddress: TEXT, primary: FLAG })),
    ipv6AddressesSet: list(structure({ ipv6Address: TEXT, isPrimaryIpv6: FLAG })),
    ipv4PrefixSet: list(structure({ ipv4Prefix: TEXT })),
    ipv6PrefixSet: list(structure({ ipv6Prefix: TEXT })),
    association: structure({ publicIp: TEXT, allocationId: TEXT, associationId: TEXT }),
    sourceDestCheck: FLAG,
    connectionTrackingConfiguration: structure({
      tcpEstablishedTimeout: NUMBER,
      udpStreamTimeout: NUMBER,
      udpTimeout: NUMBER,
    }),
    groupSet: list(structure({ groupId: TEXT, groupName: TEXT })),
    tagSet: list(structure({ key: TEXT, value: TEXT })),
    attachment: structure({
      attachmentId: TEXT,
      instanceId: TEXT,
      deviceIndex: NUMBER,
      networkCardIndex: NUMBER,
      status: TEXT,
      deleteOnTermination: FLAG,
      enaSrdSpecification: structure({
        enaSrdEnabled: FLAG,
        enaSrdUdpSpecification: structure({ enaSrdUdpEnabled: FLAG }),
      }),
    }),
    requesterManaged: FLAG,
  }),
);

/** The SDK's own description of a shape: the kind of shape, and the names and shapes of its members. */
type Schema = readonly [
  kind: number,
  namespace: string,
  name: string,
  traits: unknown,
  ...rest: unknown[],
];
const [LIST_KIND, STRUCTURE_KIND] = [1, 3];
/** What stands for a boolean, a number, a string and a time. */
const SAMPLES: Readonly<Record<number, string>> = {
  0: 'text',
  1: '7',
  2: 'true',
  4: '2026-01-02T03:04:05Z',
};

/** XML with a value for each field that the SDK knows of a shape. */
function everyField(given: unknown): Xml {
  const schema = typeof given === 'function' ? given() : given;
  if (typeof schema === 'number') return SAMPLES[schema] ?? 'text';
  const [kind, , , , ...rest] = schema as Schema;
  if (kind === LIST_KIND) return [['item', everyField(withoutTraits(rest[0]))]];
  if (kind !== STRUCTURE_KIND) return 'text';
  const [names, members] = rest as [string[], unknown[]];
  return names.map((name, index) => {
    const member = members[index];
    return [xmlNameOf(member) ?? name, everyField(withoutTraits(member))] as const;
  });
}

/** A member is a shape, or a shape with traits. */
function withoutTraits(member: unknown): unknown {
  return Array.isArray(member) && isMember(member) ? member[0] : member;
}

function xmlNameOf(member: unknown): string | undefined {
  return Array.isArray(member) && isMember(member)
    ? (member[1] as { xmlName?: string }).xmlName
    : undefined;
}

function isMember(member: unknown[]): boolean {
  return member.length === 2 && typeof member[1] === 'object';
}

/** Writes XML with spellings and things between elements that `choose` chooses. */
function written(name: string, value: Xml, choose: <T>(from: readonly T[]) => T): string {
  const content =
    typeof value === 'string'
      ? choose(SPELLINGS)(value)
      : value.map((each) => choose(BETWEEN) + written(...each, choose)).join('');
  return content === '' && choose([true, false]) ? `<${name}/>` : `<${name}>${content}</${name}>`;
}

describe('Pages of ENIs', () => {
  let server: http.Server;
  let answer: { status: number; body: string };
  let own: EC2Client;
  let sdk: EC2Client;

  before(async () => {
    server = http.createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status, { 'content-type': 'text/xml' });
      response.end(answer.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { region: 'us-west-2', endpoint, credentials: CREDENTIALS };
    own = createEc2Client(options);
    sdk = new EC2Client({ ...options, maxAttempts: 1 });
  });

  after(() => {
    own.destroy();
    sdk.destroy();
    server.close();
  });

  async function pageOf(client: EC2Client) {
    const page = await client.send(new DescribeNetworkInterfacesCommand({}));
    return { enis: enisOf(page), next: page.NextToken };
  }

  it('have what the SDK reads, however EC2 writes them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(ENI, { maxLength: 4 }),
        fc.option(TEXT, { nil: undefined }),
        fc.infiniteStream(fc.nat()),
        async (enis, next, choices) => {
          const choose = <T>(from: readonly T[]): T =>
            from[(choices.next().value as number) % from.length] as T;
          const items = enis.map(
            ([id, fields]) =>
              ['item', [id, ...(fields as readonly (readonly [string, Xml])[])]] as const,
          );
          const token = next === undefined ? [] : [['nextToken', next] as const];
          const page = written('Answer', [['networkInterfaceSet', items], ...token], choose);
          answer = { status: 200, body: `<?xml version="1.0" encoding="UTF-8"?>\n${page}` };
          expect(await pageOf(own)).to.deep.equal(await pageOf(sdk));
        },
      ),
    );
  });

  it('have each field of the SDK that makes a difference to an ENI', async () => {
    const eni = everyField(NetworkInterface$) as readonly (readonly [string, Xml])[];
    expect(eni.length, 'the SDK describes its shapes in another way now').to.be.above(25);
    const page: Xml = [['networkInterfaceSet', [['item', eni]]]];
    answer = { status: 200, body: written('Answer', page, ([first]) => first as never) };
    const { enis } = await pageOf(own);
    expect(enis[0]).to.include.keys(
      'publicAddress',
      'attachment',
      'connectionTracking',
      'macAddress',
    );
    expect(enis).to.deep.equal((await pageOf(sdk)).enis);
  });

  it('leaves refusals to the SDK', async () => {
    const error = '<Error><Code>RequestLimitExceeded</Code><Message>slow</Message></Error>';
    answer = { status: 503, body: `<Response><Errors>${error}</Errors></Response>` };
    const refusal = await pageOf(own).then(
      () => expect.fail('it was answered'),
      (thrown: unknown) => thrown,
    );
    expect(refusal).to.include({ name: 'RequestLimitExceeded', message: 'slow' });
  });

  for (const [what, body] of Object.entries({
    'an answer that ends too early': '<Answer><networkInterfaceSet><item><vpcId>vpc-1</vpcId>',
    'an answer that ends within a tag': '<Answer><networkInterfaceSet><item',
    'tags that do not match': '<Answer><networkInterfaceSet></item></Answer>',
    'no XML': 'Service Unavailable',
  })) {
    it(`refuses ${what}`, async () => {
      answer = { status: 200, body };
      const failure = await pageOf(own).then(
        () => expect.fail('it was read'),
        (thrown: unknown) => thrown,
      );
      expect(failure).to.have.property('name', 'MalformedAnswer');
    });
  }
});
