/** Sets each device that appears up with an MTU, by the agent's own code. Prints a line once it listens. */
import { RtnetlinkHostNetwork } from '../../src/agent/linux/rtnetlink-host-network.js';
import { silentLogger } from '../stage/silent-logger.js';
import { isSubject, MTU } from './subject.js';

const network = RtnetlinkHostNetwork.create({ logger: silentLogger });
network.subscribe((change) => {
  if (change.type !== 'link' || change.link.up || !isSubject(change.link.name)) return;
  void network.setMtu(change.link.index, MTU);
  void network.setUp(change.link.index);
});
console.log('ready');
process.stdin.on('end', () => network.close()).resume();
