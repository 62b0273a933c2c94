import { expect } from 'chai';
import { parsePolicy } from '../../../../tools/ec2-simulator/iam/parse-policy.js';

const ENI = 'arn:aws:ec2:us-west-2:123456789012:network-interface/eni-1';

interface Ask {
  action?: string;
  resource?: string;
  context?: Record<string, string[]>;
}

const statement = (more: object = {}): object => ({
  Effect: 'Allow',
  Action: 'ec2:DeleteNetworkInterface',
  Resource: '*',
  ...more,
});
const documentOf = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });

function verdict(
  document: object,
  { action = 'ec2:DeleteNetworkInterface', resource = ENI, context = {} }: Ask = {},
): string {
  const request = { action, resource, context: new Map(Object.entries(context)) };
  return parsePolicy(document).evaluate(request);
}

describe('Policy', () => {
  it('allows what a statement allows, and nothing else', () => {
    const document = documentOf(statement());
    expect(verdict(document)).to.equal('allowed');
    expect(verdict(document, { action: 'ec2:AttachNetworkInterface' })).to.equal('not allowed');
    expect(verdict(documentOf())).to.equal('not allowed');
  });

  it('denies what any statement denies, whichever comes first', () => {
    const deny = statement({ Effect: 'Deny' });
    expect(verdict(documentOf(statement(), deny))).to.equal('denied');
    expect(verdict(documentOf(deny, statement()))).to.equal('denied');
  });

  it('takes the statements of several documents together', () => {
    const attach = documentOf(statement({ Action: 'ec2:AttachNetworkInterface' }));
    const policy = parsePolicy([attach, documentOf(statement())]);
    for (const action of ['ec2:AttachNetworkInterface', 'ec2:DeleteNetworkInterface']) {
      expect(policy.evaluate({ action, resource: ENI, context: new Map() })).to.equal('allowed');
    }
  });

  for (const [action, fits] of [
    ['ec2:DeleteNetworkInterface', true],
    ['ec2:deletenetworkinterface', true],
    ['ec2:Delete*', true],
    ['ec2:?eleteNetworkInterface', true],
    ['*', true],
    [['ec2:CreateTags', 'ec2:Delete*'], true],
    ['ec2:DeleteNetworkInterfaces', false],
    ['ec2:Delete', false],
    ['s3:*', false],
  ] as const) {
    it(`Action ${String(action)} ${fits ? 'is' : 'is not'} ec2:DeleteNetworkInterface`, () => {
      const expected = fits ? 'allowed' : 'not allowed';
      expect(verdict(documentOf(statement({ Action: action })))).to.equal(expected);
    });
  }

  for (const [resource, fits] of [
    ['*', true],
    [ENI, true],
    ['arn:aws:ec2:us-west-2:123456789012:network-interface/*', true],
    ['arn:*:ec2:*:*:network-interface/*', true],
    ['arn:aws:ec2:us-west-?:123456789012:*', true],
    [['arn:aws:ec2:*:*:subnet/*', 'arn:aws:ec2:*:*:network-interface/eni-1'], true],
    ['arn:aws:ec2:us-west-2:123456789012:Network-Interface/*', false],
    ['arn:aws:ec2:us-west-2:123456789012:network-interface/', false],
    ['arn:aws:ec2:eu-west-1:123456789012:network-interface/*', false],
    ['arn:aws:ec2:us-west-2:*.*:network-interface/*', false],
    ['arn:aws:ec2:*:network-interface/*:*:*', false],
  ] as const) {
    it(`Resource ${String(resource)} ${fits ? 'is' : 'is not'} the ENI`, () => {
      const expected = fits ? 'allowed' : 'not allowed';
      expect(verdict(documentOf(statement({ Resource: resource })))).to.equal(expected);
    });
  }

  const TAG = 'aws:ResourceTag/owner';
  const KEYS = 'aws:TagKeys';
  for (const [title, condition, context, holds] of [
    ['StringEquals: the value', { StringEquals: { [TAG]: 'a' } }, { [TAG]: ['a'] }, true],
    [
      'StringEquals: one of several',
      { StringEquals: { [TAG]: ['b', 'a'] } },
      { [TAG]: ['a'] },
      true,
    ],
    ['StringEquals: another case', { StringEquals: { [TAG]: 'a' } }, { [TAG]: ['A'] }, false],
    ['StringEquals: no wildcards', { StringEquals: { [TAG]: '*' } }, { [TAG]: ['a'] }, false],
    ['StringEquals: no key', { StringEquals: { [TAG]: 'a' } }, {}, false],
    [
      'StringEquals: the tag of another key',
      { StringEquals: { [TAG]: 'a' } },
      { [`${TAG}s`]: ['a'] },
      false,
    ],
    ['StringEqualsIfExists: no key', { StringEqualsIfExists: { [TAG]: 'a' } }, {}, true],
    [
      'StringEqualsIfExists: another value',
      { StringEqualsIfExists: { [TAG]: 'a' } },
      { [TAG]: ['b'] },
      false,
    ],
    [
      'StringNotEquals: the value',
      { StringNotEquals: { [TAG]: ['a', 'b'] } },
      { [TAG]: ['a'] },
      false,
    ],
    [
      'StringNotEquals: another value',
      { StringNotEquals: { [TAG]: ['a', 'b'] } },
      { [TAG]: ['c'] },
      true,
    ],
    ['StringNotEquals: no key', { StringNotEquals: { [TAG]: 'a' } }, {}, true],
    ['StringLike: a wildcard', { StringLike: { [TAG]: 'a*c' } }, { [TAG]: ['abc'] }, true],
    [
      'StringLike: characters of expressions',
      { StringLike: { [TAG]: 'a.c' } },
      { [TAG]: ['abc'] },
      false,
    ],
    ['StringNotLike: a wildcard', { StringNotLike: { [TAG]: 'a*' } }, { [TAG]: ['abc'] }, false],
    [
      'ArnLike: a wildcard',
      { ArnLike: { 'ec2:Vpc': 'arn:aws:ec2:*:*:vpc/*' } },
      { 'ec2:Vpc': ['arn:aws:ec2:r:1:vpc/v'] },
      true,
    ],
    [
      'ArnNotEquals: another',
      { ArnNotEquals: { 'ec2:Vpc': 'arn:aws:ec2:*:*:vpc/w' } },
      { 'ec2:Vpc': ['arn:aws:ec2:r:1:vpc/v'] },
      true,
    ],
    ['Null true: no key', { Null: { [TAG]: 'true' } }, {}, true],
    ['Null true: a key', { Null: { [TAG]: true } }, { [TAG]: ['a'] }, false],
    ['Null false: no key', { Null: { [TAG]: 'false' } }, {}, false],
    ['Null false: a key', { Null: { [KEYS]: 'false' } }, { [KEYS]: ['a', 'b'] }, true],
    [
      'ForAllValues: all are named',
      { 'ForAllValues:StringEquals': { [KEYS]: ['a', 'b'] } },
      { [KEYS]: ['b', 'a'] },
      true,
    ],
    [
      'ForAllValues: one is not',
      { 'ForAllValues:StringEquals': { [KEYS]: ['a', 'b'] } },
      { [KEYS]: ['a', 'c'] },
      false,
    ],
    ['ForAllValues: no key', { 'ForAllValues:StringEquals': { [KEYS]: 'a' } }, {}, true],
    [
      'ForAllValues, negated: none is named',
      { 'ForAllValues:StringNotEquals': { [KEYS]: ['a', 'b'] } },
      { [KEYS]: ['c'] },
      true,
    ],
    [
      'ForAllValues, negated: one is',
      { 'ForAllValues:StringNotEquals': { [KEYS]: ['a', 'b'] } },
      { [KEYS]: ['c', 'b'] },
      false,
    ],
    [
      'ForAnyValue: one is named',
      { 'ForAnyValue:StringEquals': { [KEYS]: 'a' } },
      { [KEYS]: ['c', 'a'] },
      true,
    ],
    [
      'ForAnyValue: none is',
      { 'ForAnyValue:StringEquals': { [KEYS]: 'a' } },
      { [KEYS]: ['c'] },
      false,
    ],
    ['ForAnyValue: no key', { 'ForAnyValue:StringEquals': { [KEYS]: 'a' } }, {}, false],
    [
      'two keys: both',
      { StringEquals: { [TAG]: 'a', 'ec2:Region': 'r' } },
      { [TAG]: ['a'], 'ec2:Region': ['r'] },
      true,
    ],
    ['two keys: one', { StringEquals: { [TAG]: 'a', 'ec2:Region': 'r' } }, { [TAG]: ['a'] }, false],
    [
      'two operators: one',
      { StringEquals: { [TAG]: 'a' }, Null: { [KEYS]: 'false' } },
      { [TAG]: ['a'] },
      false,
    ],
  ] as const) {
    it(`Condition ${title}: ${holds ? 'holds' : 'does not hold'}`, () => {
      const document = documentOf(statement({ Condition: condition }));
      expect(verdict(document, { context: context as never })).to.equal(
        holds ? 'allowed' : 'not allowed',
      );
    });
  }
});

describe('parsePolicy', () => {
  for (const [title, input, message] of [
    ['no object', 'allow', /must be an object/],
    ['nothing', undefined, /must be an object/],
    ['another version', { Version: '2008-10-17', Statement: [] }, /Version/],
    ['an unknown element', { Version: '2012-10-17', Statments: [] }, /element Statments/],
    ['no statement', { Version: '2012-10-17' }, /statement 1 must be an object/],
    [
      'NotAction',
      documentOf({ Effect: 'Allow', NotAction: '*', Resource: '*' }),
      /element NotAction/,
    ],
    ['NotResource', documentOf(statement({ NotResource: '*' })), /element NotResource/],
    ['a principal', documentOf(statement({ Principal: '*' })), /element Principal/],
    ['no effect', documentOf(statement({ Effect: 'allow' })), /Effect must be/],
    ['no action', documentOf(statement({ Action: [] })), /Action must be/],
    [
      'no name of an action',
      documentOf(statement({ Action: 'DeleteNetworkInterface' })),
      /is no action/,
    ],
    ['no resource', documentOf(statement({ Resource: 7 })), /Resource must be/],
    ['a short ARN', documentOf(statement({ Resource: 'arn:aws:ec2:*' })), /is no ARN/],
    [
      'an unknown operator',
      documentOf(statement({ Condition: { StringEqual: { 'ec2:Region': 'a' } } })),
      /operator StringEqual$/,
    ],
    [
      'an operator of other types',
      documentOf(statement({ Condition: { DateLessThan: { 'ec2:Region': 'a' } } })),
      /operator DateLessThan/,
    ],
    [
      'an unknown key',
      documentOf(statement({ Condition: { StringEquals: { 'ec2:region': 'a' } } })),
      /key ec2:region/,
    ],
    [
      'a tag without a key',
      documentOf(statement({ Condition: { StringEquals: { 'aws:ResourceTag/': 'a' } } })),
      /key aws:ResourceTag/,
    ],
    [
      'many values for one',
      documentOf(statement({ Condition: { StringEquals: { 'aws:TagKeys': 'a' } } })),
      /many values/,
    ],
    [
      'Null of something else',
      documentOf(statement({ Condition: { Null: { 'aws:TagKeys': 'no' } } })),
      /true or false/,
    ],
    ['a variable', documentOf(statement({ Resource: `${ENI}\${aws:username}` })), /variables/],
  ] as const) {
    it(`refuses ${title}, instead of guessing`, () => {
      expect(() => parsePolicy(input))
        .to.throw(message)
        .with.property('name', 'InvalidInputError');
    });
  }

  it('names the statement that it refuses', () => {
    const second = statement({ Sid: 'Second', Effect: 'Perhaps' });
    expect(() => parsePolicy(documentOf(statement(), second))).to.throw(/^Second: /);
  });
});
