import { randomUUID } from 'node:crypto';
import { actionNamed } from '../actions/index.js';
import { ApiError, errors } from '../api-error.js';
import { latencyOf } from '../config/settings.js';
import type { Fault, Subject } from '../faults.js';
import { authorize } from '../iam/authorize.js';
import { associatedInterface } from '../region/elastic-ips.js';
import type { Region } from '../region/region.js';
import type { World } from '../world.js';
import { Query } from './query.js';
import { renderAnswer, renderError, type XmlValue } from './xml.js';

export interface Answer {
  status: number;
  body: string;
  /** Milliseconds to keep it back. */
  delay: number;
}

/** EC2's query protocol, from the text of a request to the text of its answer. */
export class QueryApi {
  constructor(private readonly world: World) {}

  /** @returns the answer, or `lost` where the caller is to get none. */
  handle(form: string): Answer | 'lost' {
    const query = Query.parse(form);
    const at = this.world.region.clock.now();
    const result = this.carryOut(query);
    const outcome = typeof result === 'string' ? result : (result.error?.code ?? 'ok');
    // A dry run has its own count: it is not one of the action's calls that change something.
    const action = isDryRun(query) ? `${query.action} (dry run)` : query.action;
    this.world.log.add({ at, action, outcome });
    if (result === 'lost') {
      return 'lost';
    }
    const requestId = randomUUID();
    const delay = latencyOf(this.world.region.settings, query.action);
    return result.error
      ? { status: result.error.httpStatus, body: renderError(result.error, requestId), delay }
      : { status: 200, body: renderAnswer(query.action, requestId, result.body), delay };
  }

  private carryOut(query: Query): { body?: XmlValue; error?: ApiError } | 'lost' {
    const { region, transitions, faults, buckets } = this.world;
    const action = actionNamed(query.action);
    if (!action) {
      return { error: errors.unknownAction(query.action) };
    }
    if (!buckets.take(query)) {
      return { error: errors.throttled() };
    }
    // Faults apply to calls that would change or return something.
    const fault = isDryRun(query)
      ? undefined
      : faults.takeFault(query.action, () => subjectOf(query, region));
    if (fault?.when === 'before') {
      return failure(fault);
    }
    try {
      authorize(query, region);
      if (query.boolean('DryRun')) {
        throw errors.dryRun();
      }
      const body = action(query, region, transitions);
      return fault ? failure(fault) : { body };
    } catch (err) {
      if (err instanceof ApiError) {
        return { error: err };
      }
      console.error('The simulator itself has failed', query.action, err);
      return { error: errors.internal() };
    }
  }
}

function isDryRun(query: Query): boolean {
  return query.text('DryRun')?.toLowerCase() === 'true';
}

function failure(fault: Fault): { error: ApiError } | 'lost' {
  return fault.error ? { error: fault.error } : 'lost';
}

/** What the call is about, as faults match it. Read before the call is carried out. */
function subjectOf(query: Query, region: Region): Subject {
  const attachmentId = query.text('AttachmentId') ?? query.text('Attachment.AttachmentId');
  const associationId = query.text('AssociationId');
  const attached = attachmentId === undefined ? undefined : region.enis.byAttachment(attachmentId);
  const associated =
    associationId === undefined ? undefined : associatedInterface(associationId, region.enis.all());
  return {
    instanceId: query.text('InstanceId') ?? attached?.attachment?.instanceId,
    eniIds: [
      ...[query.text('NetworkInterfaceId'), attached?.id, associated?.id].filter(
        (id) => id !== undefined,
      ),
      ...query.list('NetworkInterfaceId'),
      ...query.list('ResourceId'),
    ],
  };
}
