import { TAGS } from '../../src/api/names.js';
import type { Command } from './command.js';

/** EC2 as its own tools would show it; read from the simulator, past the controller. */

const QUERY = 'NetworkInterfaces[].[NetworkInterfaceId,Status]';

/** The ENIs that the controller made and that are still there. */
export function managedEnis(): Command {
  return {
    line: `aws ec2 describe-network-interfaces --filters Name=tag-key,Values=${TAGS.attachmentUID} --query '${QUERY}' --output text`,
    run: async ({ ec2 }) => {
      const enis = ec2.state.enis.filter(({ tags }) => TAGS.attachmentUID in tags);
      return enis.length > 0 ? enis.map(({ id, status }) => `${id}\t${status}`) : ['(nothing)'];
    },
  };
}
