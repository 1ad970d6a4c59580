/** The small things everything else rests on: ids in order of time, sealed secrets, bearer tokens, equality of JSON. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assert, first, unreachable } from '../../src/kernel/assert.ts';
import { MovedClock } from '../../src/kernel/clock.ts';
import { fold } from '../../src/kernel/fold.ts';
import { newId, parseId } from '../../src/kernel/ids.ts';
import { sameJson } from '../../src/kernel/same-json.ts';
import { secretBox } from '../../src/kernel/secret-box.ts';
import { bearerToken, hashToken, newToken } from '../../src/kernel/token.ts';

describe('a moved clock', () => {
  it('goes on from where it was put, and never back to a setting that it has left', () => {
    const clock = new MovedClock();
    const offset = () => clock.now().getTime() - Date.now();
    expect(offset()).toBeCloseTo(0, -2);
    clock.follow({ offsetMs: 60_000, revision: 2 });
    expect(offset()).toBeCloseTo(60_000, -2);
    clock.follow({ offsetMs: 0, revision: 1 });
    expect(offset()).toBeCloseTo(60_000, -2);
    clock.follow({ offsetMs: -5000, revision: 3 });
    expect(offset()).toBeCloseTo(-5000, -2);
  });
});

describe('ids', () => {
  const now = Date.parse('2026-01-31T08:00:00Z');

  it('are UUIDs of version 7 and tell their time', () => {
    const id = newId<string>(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(now);
  });

  it('differ, and sort by the millisecond they were made in', () => {
    const ids = Array.from({ length: 2000 }, (_, n) => newId<string>(now + n));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(Array.from({ length: 2000 }, () => newId<string>(now))).size).toBe(2000);
  });

  it('are read whatever their case, and nothing else is', () => {
    expect(parseId('0000AAAA-0000-7000-8000-00000000000A')).toBe('0000aaaa-0000-7000-8000-00000000000a');
    for (const text of [
      '',
      'x',
      '{0000aaaa-0000-7000-8000-00000000000a}',
      '0000aaaa00007000800000000000000a',
      ' \n',
    ])
      expect(parseId(text), text).toBeUndefined();
    expect(parseId('0000aaaa-0000-7000-8000-00000000000a\n')).toBeUndefined();
  });
});

describe('a secret box', () => {
  const box = secretBox(Buffer.alloc(32, 1));

  it('gives back what was sealed, which is never sealed alike twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (secret) => {
        const [a, b] = [box.seal(secret), box.seal(secret)];
        expect(box.open(a)).toBe(secret);
        expect(a.equals(b)).toBe(false);
      }),
    );
  });

  it('opens nothing that another key sealed or that was changed', () => {
    const sealed = box.seal('secret');
    expect(() => secretBox(Buffer.alloc(32, 2)).open(sealed)).toThrow('another SECRETS_KEY');
    for (let at = 4; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => box.open(changed), `byte ${at}`).toThrow();
    }
    expect(() => box.open(sealed.subarray(0, 20))).toThrow();
  });
});

describe('tokens', () => {
  it('carry 256 bits behind a prefix that tells what they are', () => {
    expect(newToken('directory')).toMatch(/^bgw_scim_[\w-]{43}$/);
    expect(newToken('key')).toMatch(/^bgw_key_[\w-]{43}$/);
    expect(newToken('key')).not.toBe(newToken('key'));
    expect(hashToken('x')).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['Bearer abc', 'abc'],
    ['bearer   abc', 'abc'],
    ['BEARER a.b-c_d~e+f/g=', 'a.b-c_d~e+f/g='],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    ['Bearer a\n', undefined],
    ['Bearer ä', undefined],
    ['Basic abc', undefined],
    [`Bearer ${'a'.repeat(4097)}`, undefined],
    [undefined, undefined],
  ])('are read from "%s"', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

describe('JSON', () => {
  it('is the same whatever the order of its keys, and as what it becomes on the way', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sameJson(value, JSON.parse(JSON.stringify(value)))).toBe(true);
        expect(sameJson({ a: value, b: 1 }, { b: 1, a: value, c: undefined })).toBe(true);
        expect(sameJson([value, 1], [value, 2])).toBe(false);
      }),
    );
  });

  it.each([
    [{ a: 1 }, { a: 1, b: null }],
    [{ a: undefined, b: 1 }, { a: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [null, {}],
    ['1', 1],
    [{ a: [] }, { a: [1] }],
  ])('differs: %j and %j', (a, b) => {
    expect(sameJson(a, b)).toBe(false);
    expect(sameJson(b, a)).toBe(false);
  });
});

it('text is compared without its case', () => {
  expect(fold('ÄNNA@Example.COM')).toBe('änna@example.com');
});

it('a wrong assumption is loud', () => {
  expect(() => assert(false, 'a holds')).toThrow('invariant broken: a holds');
  expect(() => first([])).toThrow('a row is there');
  expect(first([7, 8])).toBe(7);
  expect(() => unreachable('x' as never)).toThrow('unreachable: "x"');
});
