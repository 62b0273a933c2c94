/** Replaces secrets. */
export const REDACTED = '(redacted)';

const NAME =
  '(?:api|private|access|signing|encryption)[-_]?key(?:[-_]?id)?|secret(?:[-_]?access[-_]?key)?|(?:session|security|bearer|auth|id|refresh)?[-_]?token|passw(?:or)?d|passphrase|credentials?|authorization|cookie';
const SECRET_NAME = new RegExp(NAME, 'i');

/** Names that only look like secrets: they hold none, and support needs their values. */
const HARMLESS = new Set([
  'automountServiceAccountToken',
  'clientToken',
  'secretName',
  'serviceAccountToken',
  'CredentialsUnavailable',
]);

/** Forms of secrets in texts, each with the group before and after the hidden part. */
const FORMS: readonly RegExp[] = [
  // Keys in PEM, also where line breaks are escaped.
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // JSON Web Tokens: service accounts, OIDC.
  /()\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?()/g,
  /(\b(?:Bearer|Basic)\s+)[\w.~+/=-]{6,}()/gi,
  // AWS access keys, and signed or authorized data.
  /()\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{12,}()/g,
  /(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+()/gi,
  // User and password in a URL.
  /(:\/\/)[^\s/@:"']+:[^\s/@"']+(@)/g,
  // `name: value`, `name=value`, `"name":"value"`.
  new RegExp(`(["']?[\\w-]*(?:${NAME})["']?\\s*[:=]\\s*["']?)[^\\s"',;&}]{3,}()`, 'gi'),
];

/** The text without parts that look like secrets. */
export function redactText(text: string): string {
  return FORMS.reduce((left, form) => left.replaceAll(form, `$1${REDACTED}$2`), text);
}

/**
 * The object without secrets: values whose names indicate one, environment variables of such names, and texts
 * that look like one. The last-applied annotation repeats the object, and field managers do not help: both
 * are dropped.
 */
export function redactObject(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    return isSecret(name) && value !== '' ? REDACTED : redactText(value);
  }
  if (Array.isArray(value)) return value.map((member) => redactObject(member, name));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !DROPPED.has(key));
  // `{ name: "PASSWORD", value: "…" }`, as in a container's environment.
  const { name: variable } = value as { name?: unknown };
  const isVariable = typeof variable === 'string' && 'value' in value;
  return Object.fromEntries(
    entries.map(([key, member]) => [
      key,
      redactObject(member, isVariable && key === 'value' ? variable : key),
    ]),
  );
}

const DROPPED = new Set(['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']);

function isSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS.has(name);
}
