/** Control, format and other characters without a picture: they can rewrite a terminal, or hide text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text that is safe to show, wherever it comes from: characters that do not print are escaped (`\x1b`, `\u202e`),
 * and what is longer than `maxLength` characters is cut.
 */
export function printable(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  const escaped = text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return escaped.length <= maxLength ? escaped : `${escaped.slice(0, maxLength - 1)}…`;
}
