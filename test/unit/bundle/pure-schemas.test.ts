import { expect } from 'chai';
import { markPure } from '../../../tools/bundle/pure-schemas.js';

describe('Marking schemas as pure', () => {
  it('wraps each literal, on one line or on several, and leaves the rest as it is', () => {
    const module = [
      'const _a = "A";',
      'var Short = [0, n0, _a, 8, 0];',
      'export var Long$ = [3, n0, _a,',
      '    [_x],',
      '    [[() => Short, { [_k]: _a }]]',
      '];',
      'const registry = new Registry(_a);',
      'registry.register(Long$);',
    ].join('\n');
    expect(markPure(module).split('\n')).to.deep.equal([
      'const _a = "A";',
      'var Short = /* @__PURE__ */ (() => [0, n0, _a, 8, 0])();',
      'export var Long$ = /* @__PURE__ */ (() => [3, n0, _a,',
      '    [_x],',
      '    [[() => Short, { [_k]: _a }]]',
      '])();',
      'const registry = new Registry(_a);',
      'registry.register(Long$);',
    ]);
  });
});
