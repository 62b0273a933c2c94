/** Lines of a log that are enough to see why something failed. */
const KEPT = 15;

/** The last lines that each component logged. */
export class LastLines {
  private readonly byComponent = new Map<string, string[]>();

  /** @returns a function to call with each line of the component. */
  of(component: string): (line: string) => void {
    const lines: string[] = [];
    this.byComponent.set(component, lines);
    return (line) => {
      lines.push(line);
      lines.splice(0, lines.length - KEPT);
    };
  }

  /** The lines of one component, or of all that logged any. */
  latest(component?: string): [component: string, lines: readonly string[]][] {
    return [...this.byComponent].filter(
      ([name, lines]) => lines.length > 0 && (component === undefined || name === component),
    );
  }
}
