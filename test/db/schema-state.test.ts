/** What a database's migrations are to this version: as many as it knows, fewer, more, or others. */

import { expect, it } from 'vitest';
import { schemaProblem, schemaSentence, schemaState } from '../../src/db/schema-state.ts';

const known = ['1_a', '2_b', '3_c'];

it.each([
  ['nothing', [], { kind: 'none' }, 'makes', false],
  ['all', ['2_b', '3_c', '1_a'], { kind: 'current' }, "this version's", false],
  ['fewer', ['1_a'], { kind: 'older', newest: '1_a', missing: 2 }, 'older', false],
  ['more', [...known, '4_d'], { kind: 'newer', unknown: ['4_d'] }, 'newer', true],
  [
    'one that is not known between the others',
    ['1_a', '1_x'],
    { kind: 'newer', unknown: ['1_x'] },
    'newer',
    true,
  ],
  ['a gap', ['1_a', '3_c'], { kind: 'gap', missing: '2_b' }, "another version's", true],
])('%s', (_what, applied, state, word, isProblem) => {
  expect(schemaState(applied, known)).toEqual(state);
  expect(schemaSentence(schemaState(applied, known), known)).toContain(word);
  expect(schemaProblem(schemaState(applied, known), known) !== undefined).toBe(isProblem);
});
