import { expect, it } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { claimedGroups, differenceOf, samlGroups } from '../../../src/sso/core/claimed-groups.ts';

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

it('differ by what is in one alone', () => {
  expect(differenceOf(['a', 'b'], ['b', 'c'])).toEqual(['a', 'c']);
  expect(differenceOf([], [])).toEqual([]);
});
