import type { DescribeNetworkInterfacesResult, EC2Client } from '@aws-sdk/client-ec2';
import { SharedStrings } from '../../runtime/cache/shared-strings.js';
import type { Eni } from '../ec2-gateway.js';
import { toEni } from './sdk-mapping.js';
import { type ElementShape, type Fields, fieldsOf, readXml } from './xml-shapes.js';

/** The fields of an ENI that are read: all that `toEni` uses. A test compares them with the SDK's parser. */
const NETWORK_INTERFACE: readonly ElementShape[] = [
  { element: 'networkInterfaceId' },
  { element: 'status' },
  { element: 'subnetId' },
  { element: 'vpcId' },
  { element: 'availabilityZone' },
  { element: 'description' },
  { element: 'macAddress' },
  { element: 'privateIpAddress' },
  {
    element: 'privateIpAddressesSet',
    property: 'PrivateIpAddresses',
    type: 'list',
    fields: [{ element: 'privateIpAddress' }, { element: 'primary', type: 'boolean' }],
  },
  {
    element: 'ipv6AddressesSet',
    property: 'Ipv6Addresses',
    type: 'list',
    fields: [{ element: 'ipv6Address' }, { element: 'isPrimaryIpv6', type: 'boolean' }],
  },
  {
    element: 'ipv4PrefixSet',
    property: 'Ipv4Prefixes',
    type: 'list',
    fields: [{ element: 'ipv4Prefix' }],
  },
  {
    element: 'ipv6PrefixSet',
    property: 'Ipv6Prefixes',
    type: 'list',
    fields: [{ element: 'ipv6Prefix' }],
  },
  {
    element: 'association',
    type: 'structure',
    fields: [{ element: 'publicIp' }, { element: 'allocationId' }, { element: 'associationId' }],
  },
  { element: 'sourceDestCheck', type: 'boolean' },
  {
    element: 'connectionTrackingConfiguration',
    type: 'structure',
    fields: [
      { element: 'tcpEstablishedTimeout', type: 'number' },
      { element: 'udpStreamTimeout', type: 'number' },
      { element: 'udpTimeout', type: 'number' },
    ],
  },
  { element: 'groupSet', property: 'Groups', type: 'list', fields: [{ element: 'groupId' }] },
  { element: 'tagSet', type: 'list', fields: [{ element: 'key' }, { element: 'value' }] },
  {
    element: 'attachment',
    type: 'structure',
    fields: [
      { element: 'attachmentId' },
      { element: 'instanceId' },
      { element: 'deviceIndex', type: 'number' },
      { element: 'networkCardIndex', type: 'number' },
      { element: 'status' },
      { element: 'deleteOnTermination', type: 'boolean' },
      {
        element: 'enaSrdSpecification',
        type: 'structure',
        fields: [
          { element: 'enaSrdEnabled', type: 'boolean' },
          {
            element: 'enaSrdUdpSpecification',
            type: 'structure',
            fields: [{ element: 'enaSrdUdpEnabled', type: 'boolean' }],
          },
        ],
      },
    ],
  },
  { element: 'requesterManaged', type: 'boolean' },
];

type Output = { $metadata: object } & Record<string, unknown>;
type HttpAnswer = { statusCode: number; body: unknown };

/** What clients of {@link readEniPages} have read, by the output of the call. */
const pages = new WeakMap<object, Eni[]>();

/**
 * The ENIs of a page, from any client.
 * @throws MalformedResponseError
 */
export function enisOf(page: DescribeNetworkInterfacesResult): Eni[] {
  return pages.get(page) ?? (page.NetworkInterfaces ?? []).map((eni) => toEni(eni));
}

/**
 * From now on, the client reads responses to DescribeNetworkInterfaces with {@link readXml}, each ENI as it arrives;
 * {@link enisOf} has them. The SDK's parser copies each text character by character, and builds two trees of all
 * fields: a listing of 10,000 ENIs took seconds. Errors are left to the SDK.
 */
export function readEniPages(client: EC2Client): void {
  const fields = pageFields(new SharedStrings());
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const page = read.get(context);
      // The SDK keeps an error of the first call's credentials forever, and with its stack the call's context.
      read.delete(context);
      if (page !== undefined) {
        const { enis = [], nextToken } = page;
        pages.set(result.output, enis);
        Object.assign(result.output as Output, { NextToken: nextToken });
      }
      return result;
    },
    // `initialize` is the outermost step.
    { name: 'addEniPage', step: 'initialize' },
  );
  const read = new WeakMap<object, EniPage>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const answer = result.response as HttpAnswer;
      if (context.commandName !== 'DescribeNetworkInterfacesCommand' || answer.statusCode >= 300) {
        return result;
      }
      read.set(context, await readXml(answer.body as AsyncIterable<Uint8Array>, fields));
      return { ...result, response: Object.assign(answer, { body: new Uint8Array() }) };
    },
    // Next to the handler: the SDK's own parser comes after it, and finds nothing left.
    { name: 'readEniPage', step: 'deserialize', priority: 'low' },
  );
}

interface EniPage {
  enis?: Eni[];
  nextToken?: string;
}

function pageFields(strings: SharedStrings): Fields {
  return fieldsOf([
    {
      element: 'networkInterfaceSet',
      property: 'enis',
      type: 'list',
      fields: NETWORK_INTERFACE,
      map: (eni) => toEni(eni, strings),
    },
    { element: 'nextToken', property: 'nextToken' },
  ]);
}
