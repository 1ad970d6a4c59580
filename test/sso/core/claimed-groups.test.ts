import { expect, it } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { claimedGroups, differenceOf, oidcGroups, samlGroups } from '../../../src/sso/core/claimed-groups.ts';

it('are compared as mappings name them, each once, in order', () => {
  expect(claimedGroups(['b', 'A', 'a', 'B', ''])).toEqual(['a', 'b']);
  expect(claimedGroups([])).toEqual([]);
});

it('leave out what no mapping can name', () => {
  const long = 'x'.repeat(limits.claimedGroupLengthMax);
  expect(claimedGroups([long, `${long}x`, 'nul\0', 'half \ud800'])).toEqual([long]);
});

it('are unknown where they are not told, or more than are kept', () => {
  const many = Array.from({ length: limits.claimedGroupsMax }, (_, n) => `g${n}`);
  expect(claimedGroups(many)).toHaveLength(limits.claimedGroupsMax);
  expect(claimedGroups([...many, 'one more'])).toBe('unknown');
  expect(claimedGroups(undefined)).toBe('unknown');
  expect(samlGroups(new Map([['groups', ['a']]]), null)).toBe('unknown');
  expect(samlGroups(new Map([['groups', ['a']]]), 'groups')).toEqual(['a']);
});

it.each<[string, object, unknown]>([
  ['an array', { groups: ['A', 'b'] }, ['a', 'b']],
  ['one', { groups: 'A' }, ['a']],
  ['none', { groups: [] }, []],
  ['no claim', {}, 'unknown'],
  ['no texts', { groups: [1] }, 'unknown'],
  ['something else', { groups: { a: 1 } }, 'unknown'],
  [
    'a source elsewhere (Entra, more than 200)',
    { _claim_names: { groups: 'src1' }, groups: ['a'] },
    'unknown',
  ],
  ['a word that there are some (Entra, implicit)', { hasgroups: true, groups: ['a'] }, 'unknown'],
])('of OpenID Connect: %s', (_what, claims, expected) => {
  expect(oidcGroups({ ...claims }, 'groups')).toEqual(expected);
  expect(oidcGroups({ ...claims }, null)).toBe('unknown');
});

it('differ by what is in one alone', () => {
  expect(differenceOf(['a', 'b'], ['b', 'c'])).toEqual(['a', 'c']);
  expect(differenceOf([], [])).toEqual([]);
});
