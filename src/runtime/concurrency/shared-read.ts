/**
 * Calls made while a read is in flight share the next read (singleflight): sixteen interfaces that appear
 * together cost two or three reads of the host, not sixteen. Each result is read after its call.
 */
export class SharedRead<T> {
  private current: Promise<T> | undefined;
  private next: Promise<T> | undefined;

  constructor(private readonly look: () => Promise<T>) {}

  /** @throws the error of the read */
  take(): Promise<T> {
    if (this.current === undefined) return this.begin();
    this.next ??= this.current
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<T> {
    const look = this.look();
    const end = (): void => {
      if (this.current === look) this.current = undefined;
    };
    this.current = look;
    look.then(end, end);
    return look;
  }
}
