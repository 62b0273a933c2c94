/**
 * One string in memory for all that are equal. A listing repeats the cluster's id, a subnet or a node's name
 * in thousands of ENIs, and each comes from the parser as a string of its own.
 */
export class StringPool {
  private readonly known = new Map<string, string>();

  share(text: string): string {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    this.known.set(text, text);
    return text;
  }
}
