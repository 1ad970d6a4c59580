/** Texts for fuzzing: those that clients send, and those that break what reads them. */

import type { Random } from './random.ts';

const plain = [
  'work',
  'home',
  'x',
  'Anna',
  'anna@example.com',
  'Sales',
  'True',
  'false',
  '1',
  'urn:x',
  'de-CH',
];

const odd = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '😀',
  'ß İ ı ſ K',
  '\u202eabc',
  'e\u0301',
  '\u{10ffff}',
  '\ufeff',
  '"',
  '\\',
  "'",
  "'; drop table users; --",
  '%',
  '%00',
  '%s%n',
  `\${1}`,
  '\r\nx-injected: 1',
  'a\nb',
  '\t',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e999',
  '9007199254740993',
  '0x10',
  '2026-01-01T00:00:00Z',
  '2026-13-45T99:99:99+99:99',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:59.999999999-23:59',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  '] or (a pr',
  'x" or userName pr or title eq "x',
];

export function word(random: Random): string {
  return random.pick(plain);
}

/** Mostly a few characters, seldom as long as limits allow and longer. */
export function text(random: Random): string {
  return random.weighted<string>([
    [60, () => word(random)],
    [30, () => random.pick(odd)],
    [6, () => characters(random, 1 + random.int(40))],
    [2, () => random.pick(['a', 'ü', '😀', '\\', '"', '[']).repeat(1 + random.int(3000))],
    [0.2, () => 'L'.repeat(60_000 + random.int(12_000))],
  ]);
}

function characters(random: Random, length: number): string {
  return String.fromCharCode(
    ...random.list(length, length, () =>
      random.chance(0.8) ? 32 + random.int(95) : random.int(random.chance(0.5) ? 256 : 65_536),
    ),
  );
}

/** Takes out, doubles, exchanges or cuts at random places. */
export function damaged(random: Random, source: string): string {
  let result = source;
  for (let left = 1 + random.int(3); left > 0; left -= 1) {
    const at = random.int(result.length + 1);
    const [head, tail] = [result.slice(0, at), result.slice(at)];
    result = random.weighted<string>([
      [3, () => head + tail.slice(1)],
      [
        3,
        () => head + random.pick(['"', '\\', '[', ']', '(', ')', '.', ':', ' ', ',', '{', '}', '\0']) + tail,
      ],
      [2, () => head],
      [1, () => head + tail.slice(0, 5) + tail],
      [1, () => head + text(random).slice(0, 50) + tail],
    ]);
  }
  return result;
}

/** With every byte that needs it as %XX; what is no Unicode becomes the replacement character. */
export function encoded(value: string): string {
  let result = '';
  for (const byte of Buffer.from(value)) {
    const character = String.fromCharCode(byte);
    result += /[\w.~-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return result;
}
