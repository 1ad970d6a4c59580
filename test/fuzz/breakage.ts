/** Bends a JSON value, writes it, and breaks what was written. It knows nothing of SCIM. */

import type { Random } from './random.ts';
import { damaged, text } from './texts.ts';

const keys = [
  '__proto__',
  'constructor',
  'toString',
  'schemas',
  'id',
  'Schemas',
  '',
  'a.b',
  '$ref',
  '\ud800',
  'x\0',
];

/** Another value in its place, or one of its own somewhere else. */
function strangeValue(random: Random, value: unknown): unknown {
  return random.weighted<unknown>([
    [
      4,
      () => random.pick<unknown>([null, true, false, '', 0, -1, 1.5, 1e308, 2 ** 60, [], {}, [[]], [null]]),
    ],
    [3, () => text(random)],
    [2, () => [value]],
    [2, () => ({ value })],
    [1, () => [value, value, value]],
    [0.5, () => nested(random, 1 + random.int(40))],
    [0.3, () => random.list(400, 700, () => value)],
  ]);
}

function nested(random: Random, depth: number): unknown {
  let value: unknown = 'deep';
  for (let left = depth; left > 0; left -= 1) value = random.chance(0.5) ? [value] : { emails: value };
  return value;
}

/** The value with one place of it changed; never the value itself. */
export function bent(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.15)) return strangeValue(random, value);
  if (Array.isArray(value)) {
    if (value.length === 0) return [strangeValue(random, null)];
    return value.with(random.int(value.length), bent(random, random.pick(value)));
  }
  const entries: [string, unknown][] = Object.entries(value);
  const [name, inner] = entries.length === 0 ? ['x', null] : random.pick(entries);
  return random.weighted<unknown>([
    [5, () => ({ ...value, [name]: bent(random, inner) })],
    [1, () => Object.fromEntries(entries.filter(([other]) => other !== name))],
    // Own members even where the name has a meaning of its own.
    [1, () => Object.fromEntries([...entries, [random.pick(keys), strangeValue(random, inner)]])],
    [
      1,
      () =>
        Object.fromEntries(
          entries.map(([other, one]) => [other === name ? other.toUpperCase() : other, one]),
        ),
    ],
  ]);
}

/** As bytes, mostly of good JSON. */
export function written(random: Random, value: unknown): Buffer {
  const json = JSON.stringify(value) ?? '';
  return random.weighted<Buffer>([
    [85, () => Buffer.from(json)],
    [4, () => Buffer.from(json.slice(0, random.int(json.length + 1)))],
    [4, () => Buffer.from(damaged(random, json))],
    [
      2,
      () =>
        Buffer.from(
          json.replace(
            '{',
            `{${random.pick(['"schemas":null,', '"__proto__":{},', '"userName":1,', '"Operations":[],'])}`,
          ),
        ),
    ],
    [
      1,
      () =>
        Buffer.from(
          json.replace(/"[^"]*"/, random.pick(['1e999', '"\\ud800"', '-', '0123', 'NaN', "'x'", '"\\x"'])),
        ),
    ],
    [
      1,
      () =>
        Buffer.concat([
          Buffer.from(json.slice(0, -2)),
          Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
          Buffer.from(json.slice(-2)),
        ]),
    ],
    [1, () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json)])],
    [1, () => Buffer.from(json, 'utf16le')],
    [
      1,
      () =>
        Buffer.from(random.pick(['', ' ', 'null', '[]', '"x"', '7', '{', '[[[[', '{"a":', '\0', 'a=b&c=d'])),
    ],
    [0.3, () => Buffer.from('['.repeat(1 + random.int(100_000)))],
    [0.05, () => Buffer.from(JSON.stringify({ x: 'y'.repeat(5_000_000) }))],
  ]);
}
