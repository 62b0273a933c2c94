import type { DescribeNetworkInterfacesResult, EC2Client } from '@aws-sdk/client-ec2';
import { type ElementShape, fieldsOf, readXml } from './xml-shapes.js';

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

const PAGE = fieldsOf([
  {
    element: 'networkInterfaceSet',
    property: 'NetworkInterfaces',
    type: 'list',
    fields: NETWORK_INTERFACE,
  },
  { element: 'nextToken' },
]);

type Output = { $metadata: object } & Record<string, unknown>;
type HttpAnswer = { statusCode: number; body: unknown };

/**
 * From now on, the client reads responses to DescribeNetworkInterfaces with {@link readXml}. The SDK's parser
 * copies each text character by character, and builds two trees of all fields: a listing of 10,000 ENIs took
 * seconds. Errors are left to the SDK.
 */
export function readEniPages(client: EC2Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const page = pages.get(context);
      // The SDK keeps an error of the first call's credentials forever, and with its stack the call's context.
      pages.delete(context);
      if (page !== undefined) Object.assign(result.output as Output, page);
      return result;
    },
    // `initialize` is the outermost step.
    { name: 'addEniPage', step: 'initialize' },
  );
  const pages = new WeakMap<object, DescribeNetworkInterfacesResult>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const answer = result.response as HttpAnswer;
      if (context.commandName !== 'DescribeNetworkInterfacesCommand' || answer.statusCode >= 300) {
        return result;
      }
      pages.set(context, await readXml(answer.body as AsyncIterable<Uint8Array>, PAGE));
      return { ...result, response: Object.assign(answer, { body: new Uint8Array() }) };
    },
    // Next to the handler: the SDK's own parser comes after it, and finds nothing left.
    { name: 'readEniPage', step: 'deserialize', priority: 'low' },
  );
}
