/** Which of the seals is the first that does not hold, and what is signed of one. */

import { describe, expect, it } from 'vitest';
import { breakOfKept, follow, type ReadSeal, sealText } from '../../src/audit/audit-seal.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { signerFor } from '../../src/kernel/signer.ts';

const seal = (number: number, change: Partial<ReadSeal> = {}): ReadSeal => ({
  ...{ number, xid: '7', seq: `${number}`, afterSeq: '0', topSeq: `${number}`, entries: 2 },
  sealedAt: new Date('2026-03-10T12:00:00Z'),
  newestAt: new Date(`2026-03-0${number}T12:00:00Z`),
  ...{ hash: `h${number}`, mac: 'm', found: 2, foundHash: `h${number}` },
  ...change,
});
const always = () => true;
const at = (number: number) => seal(number).newestAt;

describe('the first that does not hold', () => {
  it('is none where each follows the one before', () => {
    expect(follow([seal(1), seal(2)], undefined, always)).toEqual({
      good: [seal(1), seal(2)],
      broken: undefined,
    });
    expect(follow([seal(3)], seal(2), always).broken).toBeUndefined();
    expect(follow([], seal(2), always)).toEqual({ good: [], broken: undefined });
  });

  it.each<[string, Partial<ReadSeal>, object]>([
    ['another hash', { foundHash: 'x' }, { why: 'content', found: 2 }],
    ['another number of entries', { found: 3 }, { why: 'content', found: 3 }],
  ])('is one with %s', (_what, change, expected) => {
    expect(follow([seal(1), seal(2, change), seal(3)], undefined, always)).toEqual({
      good: [seal(1)],
      broken: { seal: 2, from: at(1), to: at(2), entries: 2, ...expected },
    });
  });

  it('is one that is not signed, whatever it holds', () => {
    const { broken } = follow([seal(1, { foundHash: 'x' })], undefined, () => false);
    expect(broken).toEqual({ why: 'mac', seal: 1, from: null, to: at(1), entries: 2, found: 2 });
  });

  it('is one that is not there: at the beginning, between two, and behind the last that was known', () => {
    const missing = { why: 'missing', entries: null, found: null };
    expect(follow([seal(2)], undefined, always).broken).toEqual({
      ...missing,
      seal: 1,
      from: null,
      to: at(2),
    });
    expect(follow([seal(1), seal(4)], undefined, always).broken).toEqual({
      ...missing,
      seal: 2,
      from: at(1),
      to: at(4),
    });
    expect(follow([seal(4)], seal(2), always).broken).toMatchObject({ ...missing, seal: 3 });
  });
});

it('what was kept holds while that seal has that hash', () => {
  expect(breakOfKept({ number: 1, hash: 'h1' }, seal(1))).toBeUndefined();
  expect(breakOfKept({ number: 1, hash: 'x' }, seal(1))).toMatchObject({
    why: 'kept',
    seal: 1,
    to: at(1),
    entries: 2,
  });
  expect(breakOfKept({ number: 9, hash: 'x' }, undefined)).toMatchObject({ why: 'kept', seal: 9, to: null });
});

it('all that a seal says is signed, for its tenant, with the key of this purpose alone', () => {
  const tenant = 'a' as TenantId;
  const text = sealText(tenant, seal(1));
  const others = [
    sealText('b' as TenantId, seal(1)),
    ...(['number', 'entries'] as const).map((name) => sealText(tenant, seal(1, { [name]: 9 }))),
    ...(['xid', 'seq', 'afterSeq', 'topSeq', 'hash'] as const).map((name) =>
      sealText(tenant, seal(1, { [name]: '9' })),
    ),
    ...(['sealedAt', 'newestAt'] as const).map((name) => sealText(tenant, seal(1, { [name]: new Date(9) }))),
  ];
  expect(new Set([text, ...others]).size).toBe(others.length + 1);
  const key = Buffer.alloc(32, 1);
  const signer = signerFor('audit', key);
  const mac = signer.sign(text);
  expect(mac).toMatch(/^[0-9a-f]{64}$/);
  expect([signer.isSigned(text, mac), signer.isSigned(`${text} `, mac), signer.isSigned(text, '')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(signerFor('other', key).isSigned(text, mac)).toBe(false);
  expect(signerFor('audit', Buffer.alloc(32, 2)).isSigned(text, mac)).toBe(false);
});
