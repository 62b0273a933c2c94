/** Whether a text fits what was compiled. */
export type Pattern = (text: string) => boolean;

/** A text with IAM's wildcards: `*` stands for any characters, `?` for one. */
export function compilePattern(text: string, { ignoreCase = false } = {}): Pattern {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, ignoreCase ? 'is' : 's');
  return (candidate) => expression.test(candidate);
}

/** `arn`, partition, service, Region, account; what follows may have colons of its own. */
const ARN_SEGMENTS = 6;

/**
 * An ARN with wildcards, none of which reaches past a colon; or undefined, where the text is no whole ARN.
 * Source: IAM User Guide, "IAM JSON policy elements: Resource".
 */
export function compileArnPattern(text: string): Pattern | undefined {
  const segments = segmentsOf(text);
  if (segments.length < ARN_SEGMENTS || segments[0] !== 'arn') {
    return undefined;
  }
  const patterns = segments.map((segment) => compilePattern(segment));
  return (candidate) => {
    const parts = segmentsOf(candidate);
    return (
      parts.length === ARN_SEGMENTS && patterns.every((pattern, at) => pattern(parts[at] ?? ''))
    );
  };
}

function segmentsOf(arn: string): string[] {
  const parts = arn.split(':');
  const last = parts.slice(ARN_SEGMENTS - 1).join(':');
  return parts.length < ARN_SEGMENTS ? parts : [...parts.slice(0, ARN_SEGMENTS - 1), last];
}
