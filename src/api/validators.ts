import {
  registerDecorator,
  type ValidationArguments,
  type ValidationOptions,
} from 'class-validator';

/**
 * Class-validator rule for a group of fields of which exactly one must be set. It stands on a member that
 * is always there, for class-validator skips the rules of absent optional members.
 */
export function ExactlyOneOf(fields: readonly string[], options?: ValidationOptions) {
  return (target: object, propertyName: string): void => {
    registerDecorator({
      // class-validator keeps one message a name.
      name: `exactlyOneOf:${fields.join()}`,
      target: target.constructor,
      propertyName,
      ...(options ? { options } : {}),
      validator: {
        validate: (_value: unknown, args?: ValidationArguments) =>
          setFields(fields, args?.object).length === 1,
        defaultMessage: (args?: ValidationArguments) => {
          const set = setFields(fields, args?.object);
          const found = set.length === 0 ? 'none is set' : `${set.join(' and ')} are set`;
          return `set exactly one of ${fields.join(', ')}: ${found}`;
        },
      },
    });
  };
}

function setFields(fields: readonly string[], object: object = {}): string[] {
  return fields.filter((field) => (object as Record<string, unknown>)[field] !== undefined);
}

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Class-validator rule for `nodeSelector`: one to 32 pairs of a valid label key and a valid label value. */
export function IsLabelSelectorMap(options?: ValidationOptions) {
  return (target: object, propertyName: string): void => {
    registerDecorator({
      name: 'isLabelSelectorMap',
      target: target.constructor,
      propertyName,
      ...(options ? { options } : {}),
      validator: {
        validate: (value: unknown) => labelSelectorFault(value) === undefined,
        defaultMessage: (args?: ValidationArguments) =>
          `${propertyName} ${labelSelectorFault(args?.value) ?? 'is not valid'}`,
      },
    });
  };
}

function labelSelectorFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'must be a map of labels, such as {role: storage}';
  }
  const entries = Object.entries(value);
  if (entries.length === 0) {
    return 'must name at least one label: an empty selector would mean every node';
  }
  if (entries.length > 32) {
    return `must name at most 32 labels, and names ${entries.length}`;
  }
  for (const [key, label] of entries) {
    if (key.length > 317 || !LABEL_KEY.test(key)) {
      return `has the key ${JSON.stringify(key)}, which is not a valid label key such as role or example.com/role`;
    }
    if (typeof label !== 'string' || label.length > 63 || !LABEL_VALUE.test(label)) {
      return `has the value ${JSON.stringify(label)} for ${key}, which is not a valid label value (at most 63 letters, digits, '-', '_' and '.')`;
    }
  }
  return undefined;
}
