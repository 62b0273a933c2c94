import { InvalidInputError } from '../config/invalid-input.js';
import { isConditionKey, isMultivalued } from './condition-keys.js';
import { operatorNamed } from './condition-operators.js';
import { compileArnPattern, compilePattern, type Pattern } from './pattern.js';
import { type Condition, Policy, type Statement } from './policy.js';

/** A policy as IAM has it, in JSON. */
export type PolicyDocument = Readonly<Record<string, unknown>>;

const VERSION = '2012-10-17';
const DOCUMENT_ELEMENTS = ['Version', 'Id', 'Statement'];
const STATEMENT_ELEMENTS = ['Sid', 'Effect', 'Action', 'Resource', 'Condition'];

/**
 * One policy document, or several of one role.
 * @throws InvalidInputError where the simulator does not know what a part means: a policy that is half
 * understood would allow what IAM denies.
 */
export function parsePolicy(input: unknown): Policy {
  return new Policy([input].flat().flatMap(parseDocument));
}

function parseDocument(input: unknown): Statement[] {
  const document = objectOf(input, 'a policy', DOCUMENT_ELEMENTS);
  if (document.Version !== VERSION) {
    throw new InvalidInputError(`a policy's Version must be ${VERSION}`);
  }
  const statements = [document.Statement].flat();
  return statements.map((statement, index) => parseStatement(statement, `statement ${index + 1}`));
}

function parseStatement(input: unknown, position: string): Statement {
  const statement = objectOf(input, position, STATEMENT_ELEMENTS);
  const where = typeof statement.Sid === 'string' ? statement.Sid : position;
  const { Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new InvalidInputError(`${where}: Effect must be Allow or Deny`);
  }
  return {
    effect,
    actions: textsOf(statement.Action, `${where}: Action`).map((text) => parseAction(text, where)),
    resources: textsOf(statement.Resource, `${where}: Resource`).map((text) =>
      parseResource(text, where),
    ),
    conditions: parseConditions(statement.Condition ?? {}, where),
  };
}

function parseAction(text: string, where: string): Pattern {
  if (text !== '*' && !/^[a-z0-9-]+:[A-Za-z0-9*?]+$/.test(text)) {
    throw new InvalidInputError(`${where}: '${text}' is no action`);
  }
  return compilePattern(text, { ignoreCase: true });
}

function parseResource(text: string, where: string): Pattern {
  const pattern = text === '*' ? compilePattern('*') : compileArnPattern(text);
  if (!pattern) {
    throw new InvalidInputError(`${where}: '${text}' is no ARN`);
  }
  return pattern;
}

function parseConditions(input: unknown, where: string): Condition[] {
  return Object.entries(objectOf(input, `${where}: Condition`)).flatMap(([name, keys]) =>
    Object.entries(objectOf(keys, `${where}: ${name}`)).map(([key, values]) =>
      parseCondition(name, key, values, where),
    ),
  );
}

function parseCondition(name: string, key: string, values: unknown, where: string): Condition {
  const found = operatorNamed(name);
  if (!found) {
    throw new InvalidInputError(`${where}: the simulator does not know the operator ${name}`);
  }
  if (!isConditionKey(key)) {
    throw new InvalidInputError(`${where}: the simulator does not know the condition key ${key}`);
  }
  if (isMultivalued(key) && !found.takesSets) {
    throw new InvalidInputError(`${where}: ${key} has many values, ${name} takes one`);
  }
  const expected = textsOf(values, `${where}: ${key}`);
  if (name === 'Null' && !expected.every((text) => text === 'true' || text === 'false')) {
    throw new InvalidInputError(`${where}: Null takes true or false`);
  }
  return { key, operator: found.operator, expected };
}

/** @param elements the fields that it may have; any, where not given. */
function objectOf(
  input: unknown,
  what: string,
  elements?: readonly string[],
): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidInputError(`${what} must be an object`);
  }
  const unknown = Object.keys(input).find((field) => elements && !elements.includes(field));
  if (unknown !== undefined) {
    throw new InvalidInputError(`${what}: the simulator does not know the element ${unknown}`);
  }
  return input as Record<string, unknown>;
}

/** One text, or a list of them; no policy variables. */
function textsOf(input: unknown, what: string): string[] {
  const texts = [input].flat().map((text) => (typeof text === 'boolean' ? String(text) : text));
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string')) {
    throw new InvalidInputError(`${what} must be a text or a list of texts`);
  }
  if (texts.some((text) => text.includes('${'))) {
    throw new InvalidInputError(`${what}: the simulator does not know policy variables`);
  }
  return texts;
}
