/** The first `max` of `texts`, and how many more there are: `a, b and 3 more`. */
export function firstFew(texts: readonly string[], max: number): string {
  const more = texts.length - max;
  const first = texts.slice(0, max).join(', ');
  return more > 0 ? `${first} and ${more} more` : first;
}

/** Another program's sentence, for use inside a sentence of this program. */
export function withoutFullStop(text: string): string {
  return text.replace(/\.\s*$/, '');
}
