/** The container has what its commands need, and takes the variables that README.md tells of. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './support/sources.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

it.each(['start', 'gateway'])('npm run %s finds its files in the image', (name) => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  );
  const words: string[] = JSON.parse(read('package.json')).scripts[name].split(' ');
  const files = words.filter((word) => /\.m?[jt]s$/.test(word)).map((word) => word.replace('./', ''));
  expect(files.length).toBe(2);
  for (const file of files)
    expect(
      copied.some((path) => `${file}/`.startsWith(`${path}/`)),
      file,
    ).toBe(true);
});

it('compose passes on what README.md tells of, but what the image settles', () => {
  const rows = read('README.md').matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \|/gm);
  const told = [...rows].flatMap(([, names = '']) => [...names.matchAll(/[A-Z_]+/g)].map(([name]) => name));
  const passed = [...read('docker-compose.yml').matchAll(/^ {6}- ([A-Z_]+)(?:=|$)/gm)].map(
    ([, name]) => name,
  );
  const settled = ['HOST', 'PORT', 'DATA_DIR', 'GATEWAY_URL', 'TEST_CLOCK'];
  expect([...passed, ...settled].sort()).toEqual(told.sort());
});
