import { TAGS } from '../../api/names.js';
import { KeyIndex } from '../../runtime/cache/key-index.js';
import type { Eni } from '../ec2-gateway.js';

/** ENIs by id, by the tag that names their ENIAttachment, and by the instance that has them. */
export class EniIndex {
  private readonly enis = new Map<string, Eni>();
  private readonly byUid = new IdsByKey((eni) => eni.tags[TAGS.attachmentUID]);
  private readonly byInstance = new IdsByKey((eni) => eni.attachment?.instanceId);

  get(id: string): Eni | undefined {
    return this.enis.get(id);
  }

  /** All that carry the uid, the one known longest first. */
  byAttachmentUID(uid: string): Eni[] {
    return this.byUid.get(uid).flatMap((id) => this.enis.get(id) ?? []);
  }

  /** All that the instance has, or is getting or losing. */
  onInstance(instanceId: string): Eni[] {
    return this.byInstance.get(instanceId).flatMap((id) => this.enis.get(id) ?? []);
  }

  list(): Eni[] {
    return [...this.enis.values()];
  }

  /** Replaces the ENI with that id; undefined removes it. */
  set(id: string, eni: Eni | undefined): void {
    const old = this.enis.get(id);
    this.byUid.move(id, old, eni);
    this.byInstance.move(id, old, eni);
    if (eni) this.enis.set(id, eni);
    else this.enis.delete(id);
  }
}

class IdsByKey {
  private readonly ids = new KeyIndex();

  constructor(private readonly keyOf: (eni: Eni) => string | undefined) {}

  get(key: string): string[] {
    return this.ids.get(key);
  }

  move(id: string, old: Eni | undefined, eni: Eni | undefined): void {
    const was = old && this.keyOf(old);
    const is = eni && this.keyOf(eni);
    if (was === is) return;
    if (was !== undefined) this.ids.delete(was, id);
    if (is !== undefined) this.ids.add(is, id);
  }
}
