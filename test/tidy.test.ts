/**
 * The rules of the source that neither compiler nor linter knows: a file imports from its own floor or below
 * (ARCHITECTURE.md), the core stays pure, one module alone writes decisions, and nothing names a path of the machine
 * it was written on.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSource, root, type Source, sourcesIn } from './support/sources.ts';

const sources = sourcesIn('src');
const rootFiles = ['app', 'main', 'gateway', 'config', 'workers', 'check', 'ending'].map(
  (name) => `src/${name}.ts`,
);

/** 0 kernel, 1 core, 2 adapters, 3 use cases, 4 rims, 5 root. */
function floorOf(path: string): number {
  if (rootFiles.includes(path) || path.startsWith('src/cli/')) return 5;
  if (path.startsWith('src/kernel/')) return 0;
  if (path.startsWith('src/http/') || /-(routes|hook|task)\.ts$/.test(path)) return 4;
  if (/-flow\.ts$/.test(path)) return 3;
  if (path.startsWith('src/db/') || /-(store|sql|client)\.ts$/.test(path)) return 2;
  return 1;
}

/** What the core may not know, but for the parts that only reckon. */
const corePackages = ['fastify', '@fastify/', 'kysely', 'pg', 'undici', 'pino', 'prom-client', 'node:'];
const pureParts = new Map([
  ['node:net', ['BlockList', 'isIP']],
  ['node:url', ['domainToASCII', 'domainToUnicode']],
]);

function importProblems(source: Source): string[] {
  const floor = floorOf(source.path);
  return source.imports.flatMap(({ from, file, values }) => {
    const problems: string[] = [];
    const say = (problem: string) => problems.push(`${source.path}: ${problem} ${from}`);
    if (file === undefined) {
      const isOutside = corePackages.some(
        (name) => from === name || from.startsWith(name.replace(/[^:/]$/, '$&/')),
      );
      const isPure = pureParts.has(from) && values.every((name) => pureParts.get(from)?.includes(name));
      if (floor === 1 && isOutside && !isPure) say('core imports');
      return problems;
    }
    if (file.startsWith('src/') && floorOf(file) > floor)
      say(`floor ${floor} imports floor ${floorOf(file)},`);
    const [module, other] = [moduleOf(source.path), moduleOf(file)];
    if ([module, other].sort().join() === 'scim,sso') say(`${module} imports`);
    if (/-routes\.ts$/.test(file) && source.path !== 'src/app.ts') say('only app.ts imports routes, not');
    if (floor === 4 && /-store\.ts$/.test(file)) {
      const writers = values.filter((name) => !reading.test(name));
      if (writers.length > 0) say(`a rim only reads from stores, and takes ${writers.join(', ')} of`);
    }
    return problems;
  });
}

/** What a rim may take from a store. */
const reading = /^(select|find|list|count|read|search)([A-Z]|$)|Pages$/;

function moduleOf(path: string): string {
  return path.split('/')[1] ?? '';
}

const impure: [string, RegExp][] = [
  ['process', /(?<![.\w])process\./],
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\s*\)|\bnew Date\b(?!\s*\()/],
  ['Math.random', /\bMath\.random\b/],
  ['performance.now', /\bperformance\b/],
  ['crypto', /\bcrypto\.\w/],
  ['timers', /\b(setTimeout|setInterval|setImmediate)\b/],
];

function codeProblems({ path, code }: Source): string[] {
  const problems: string[] = [];
  if (floorOf(path) === 1) {
    for (const [name, pattern] of impure) if (pattern.test(code)) problems.push(`${path}: core uses ${name}`);
  }
  if (/\bprocess\.env\b/.test(code) && path !== 'src/config.ts') problems.push(`${path}: reads process.env`);
  return problems;
}

const decisionTables = ['decisions', 'seat_pools'];

/** In raw SQL and in Kysely's calls. src/tenants makes the one empty pool of a new tenant. */
function decisionProblems(source: Source): string[] {
  if (source.path.startsWith('src/provisioning/')) return [];
  const all = [...source.strings, ...callsOf(source)].join('\n');
  return decisionTables.flatMap((table) => {
    const writes = new RegExp(
      `\\b(insert\\s+into|update|delete\\s+from|truncate|insertInto|updateTable|deleteFrom|mergeInto)\\W+(only\\s+)?${table}\\b`,
      'i',
    );
    return writes.test(all) ? [`${source.path}: writes ${table}`] : [];
  });
}

/** `updateTable('x')` and the like: the code has the call, the string its name, in the same order. */
function callsOf({ code, strings }: Source): string[] {
  const marks = code.split('"').slice(0, -1);
  const isAligned = marks.length === strings.length;
  return marks.map(
    (before, index) => `${/\w+\($/.exec(before)?.[0] ?? ''}${isAligned ? strings[index] : ''}`,
  );
}

const machinePath = /(?:^|[\s'"`(=])(?:\/(?:home|root|work|mnt|tmp|opt)\/[\w.-]|\/private\/|[A-Z]:\\)/;

function namedPaths({ path, strings, comments }: Source): string[] {
  return [...strings, ...comments].filter((text) => machinePath.test(text)).map((text) => `${path}: ${text}`);
}

/** A document that a reader of the repository can't open explains nothing. */
function namedDocuments({ path, strings, comments }: Source): string[] {
  return [...strings, ...comments]
    .flatMap((text) => text.match(/[\w./-]+\.md\b/g) ?? [])
    .filter((name) => !existsSync(join(root, name)) && !existsSync(join(root, path, '..', name)))
    .map((name) => `${path}: there is no ${name}`);
}

describe('the source', () => {
  it('imports from its own floor or below', () => {
    expect(sources.length).toBeGreaterThan(80);
    expect(sources.flatMap(importProblems)).toEqual([]);
  });

  it('imports only files that exist', () => {
    const missing = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== undefined && !existsSync(join(root, file)))
        .map(({ from }) => `${path}: ${from}`),
    );
    expect(missing).toEqual([]);
  });

  it('keeps the core free of clocks, randomness and the process, and reads the environment in one file', () => {
    expect(sources.flatMap(codeProblems)).toEqual([]);
  });

  it('writes decisions and seat pools in src/provisioning alone', () => {
    const isNewTenantsPool = (problem: string) => problem === 'src/tenants/tenant-flow.ts: writes seat_pools';
    expect(sources.flatMap(decisionProblems).filter((problem) => !isNewTenantsPool(problem))).toEqual([]);
  });

  const everything = ['src', 'migrations', 'test', 'demo', 'bench', 'scripts'].filter((folder) =>
    existsSync(join(root, folder)),
  );
  it('names no path of a machine', () => {
    expect(everything.flatMap(sourcesIn).filter(isNoGuard).flatMap(namedPaths)).toEqual([]);
  });

  it('names no document that is not here', () => {
    expect(everything.flatMap(sourcesIn).filter(isNoGuard).flatMap(namedDocuments)).toEqual([]);
  });
});

/** This file names what it looks for. */
function isNoGuard({ path }: Source): boolean {
  return path !== 'test/tidy.test.ts';
}

describe('the guard itself', () => {
  const problemsOf = (path: string, text: string) => {
    const source = readSource(path, text);
    return [importProblems, codeProblems, decisionProblems, namedPaths, namedDocuments].flatMap((check) =>
      check(source),
    );
  };

  it.each([
    ['src/scim/core/x.ts', `import type { Database } from '../../db/database.ts';`],
    ['src/licensing/x.ts', `import { sql } from 'kysely';`],
    ['src/licensing/x.ts', `import { readFileSync } from 'node:fs';`],
    ['src/licensing/x.ts', `type T = import('pg').Pool;`],
    ['src/licensing/x.ts', `import { connect, isIP } from 'node:net';`],
    ['src/licensing/x-store.ts', `import { a } from '../provisioning/a-flow.ts';`],
    ['src/licensing/x.ts', 'const now = new Date();'],
    ['src/licensing/x.ts', `const now = \`\${Date.now()}\`;`],
    ['src/licensing/x.ts', 'const x = Math.random();'],
    ['src/licensing/x-flow.ts', 'const home = process.env.HOME;'],
    ['src/scim/x.ts', `export { a } from '../sso/a.ts';`],
    ['src/sso/x.ts', `import { a } from '../scim/core/a.ts';`],
    ['src/gateway.ts', `import { scimUserRoutes } from './scim/scim-user-routes.ts';`],
    ['src/scim/x-routes.ts', `import { insertUser } from '../directory/user-store.ts';`],
    ['src/scim/x-flow.ts', 'const q = sql`update decisions set seat = 1`;'],
    ['src/blue/x-store.ts', `db.deleteFrom('seat_pools').where('tenant_id', '=', id)`],
    ['src/blue/x-store.ts', `// see /${'work'}/notes`],
    ['src/blue/x-store.ts', '/** See nowhere.md. */'],
  ])('%s may not hold %s', (path, text) => {
    expect(problemsOf(path, text)).toHaveLength(1);
  });

  it.each([
    ['src/scim/core/x.ts', `import { limits } from '../../kernel/limits.ts';\nconst at = new Date(1);`],
    ['src/scim/x-routes.ts', `import { type User, selectGroups } from '../directory/group-view-store.ts';`],
    ['src/licensing/x.ts', "const path = /['\"`/]/.test('process.env'); // Date.now"],
    ['src/scim/x-flow.ts', `const q = sql\`select * from decisions \${a ? sql\`for update\` : ''}\`;`],
    ['src/scim/x.ts', "const route = '/Users/:id'; // ARCHITECTURE.md"],
  ])('%s may hold %s', (path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });
});
