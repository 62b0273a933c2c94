import type { HostChange } from '../host/host-network.js';
import { linkIndexOfAddress } from './messages/address-message.js';
import { readLink } from './messages/link-message.js';
import type { NetlinkMessage } from './messages/netlink-codec.js';
import { protocolOfRoute, readRoute } from './messages/route-message.js';
import { MessageType } from './messages/rtnetlink.js';
import { readRule } from './messages/rule-message.js';

/**
 * Converts an event of the kernel to a change; undefined if it is irrelevant.
 * @param routeProtocol routes with another protocol are ignored
 * @throws Error if the bytes are not such a message
 */
export function readChange(
  { type, data }: NetlinkMessage,
  routeProtocol: number,
): HostChange | undefined {
  switch (type) {
    case MessageType.newLink: {
      const link = readLink(data);
      return link && { type: 'link', link };
    }
    case MessageType.delLink: {
      const link = readLink(data);
      return link && { type: 'linkGone', index: link.index, macAddress: link.macAddress };
    }
    case MessageType.newAddress:
    case MessageType.delAddress:
      return { type: 'address', linkIndex: linkIndexOfAddress(data) };
    case MessageType.newRoute:
    case MessageType.delRoute: {
      const route = protocolOfRoute(data) === routeProtocol ? readRoute(data) : undefined;
      return route && { type: 'route', table: route.table, linkIndex: route.linkIndex };
    }
    case MessageType.newRule:
    case MessageType.delRule: {
      const rule = readRule(data);
      return rule && { type: 'rule', table: rule.table };
    }
    default:
      return undefined;
  }
}
