/**
 * Looks that are asked for while one is under way share the next one: sixteen interfaces that appear together cost
 * two or three looks at the host, not sixteen. Each answer is of a moment after its question.
 */
export class SharedRead<T> {
  private current: Promise<T> | undefined;
  private next: Promise<T> | undefined;

  constructor(private readonly look: () => Promise<T>) {}

  /** @throws what the look throws */
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
