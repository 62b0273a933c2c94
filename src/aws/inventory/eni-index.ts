import { TAGS } from '../../api/names.js';
import type { Eni } from '../ec2-gateway.js';

/** ENIs by id and by the tag that names their ENIAttachment. */
export class EniIndex {
  private readonly enis = new Map<string, Eni>();
  private readonly idsByUid = new Map<string, Set<string>>();

  get(id: string): Eni | undefined {
    return this.enis.get(id);
  }

  /** All that carry the uid, the one known longest first. */
  byAttachmentUID(uid: string): Eni[] {
    return [...(this.idsByUid.get(uid) ?? [])].flatMap((id) => this.enis.get(id) ?? []);
  }

  list(): Eni[] {
    return [...this.enis.values()];
  }

  /** Replaces the ENI with that id; undefined removes it. */
  set(id: string, eni: Eni | undefined): void {
    const was = this.enis.get(id)?.tags[TAGS.attachmentUID];
    const is = eni?.tags[TAGS.attachmentUID];
    if (was !== undefined && was !== is) this.forgetUid(was, id);
    if (is !== undefined && was !== is) this.rememberUid(is, id);
    if (eni) this.enis.set(id, eni);
    else this.enis.delete(id);
  }

  private rememberUid(uid: string, id: string): void {
    const ids = this.idsByUid.get(uid) ?? new Set();
    this.idsByUid.set(uid, ids.add(id));
  }

  private forgetUid(uid: string, id: string): void {
    const ids = this.idsByUid.get(uid);
    ids?.delete(id);
    if (ids?.size === 0) this.idsByUid.delete(uid);
  }
}
