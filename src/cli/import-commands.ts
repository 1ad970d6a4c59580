/** Files of people. */

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Command,
  confirmFlag,
  type Input,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
  text,
  UsageError,
} from './command.ts';

interface Import {
  id: string;
  state: 'planned' | 'running' | 'done';
  rows: Record<'total' | 'created' | 'updated' | 'unchanged' | 'refused', number>;
}

type Get = (path: string) => Promise<unknown>;

const anImport = { argument: 'import-id', flags: [tenantFlag] } as const;
const one = (input: Input, rest = '', ...query: string[]) =>
  tenantPath(input, `/imports/${part(input, 'import-id')}${rest}`, ...query);

export const importCommands: readonly Command[] = [
  {
    noun: 'import',
    verb: 'run',
    summary: 'import people from a CSV file',
    argument: 'file',
    flags: [
      tenantFlag,
      { name: 'dry-run', description: 'say what the file would do, and do nothing' },
      confirmFlag,
    ],
    call: (input) => {
      const query = [
        ...(input['dry-run'] === true ? ['dryRun=true'] : []),
        ...(input.confirm === true ? ['confirm=true'] : []),
      ].join('&');
      return {
        method: 'POST',
        path: `${tenantPath(input, '/imports')}${query && `?${query}`}`,
        body: contentOf(text(input, 'file')),
      };
    },
    readable: async (answer, input, get) =>
      await withRefused(await ended(answer as Import, input, get), input, get),
  },
  {
    noun: 'import',
    verb: 'list',
    summary: 'list imports, newest first',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/imports', 'limit', 'cursor') }),
    columns: ['createdAt', 'state', 'by', 'rows.total', 'rows.created', 'rows.updated', 'rows.refused', 'id'],
  },
  {
    noun: 'import',
    verb: 'show',
    summary: 'show an import and how far it is',
    ...anImport,
    call: (input) => ({ method: 'GET', path: one(input) }),
  },
  {
    noun: 'import',
    verb: 'rows',
    summary: 'list the rows of an import with what has become of each',
    ...anImport,
    flags: [
      tenantFlag,
      { name: 'outcome', value: 'outcome', description: 'created, updated, unchanged, refused' },
      ...pageFlags,
    ],
    call: (input) => ({ method: 'GET', path: one(input, '/rows', 'outcome', 'limit', 'cursor') }),
    columns: ['line', 'outcome', 'seat.state', 'seat.position', 'cells', 'detail'],
  },
  {
    noun: 'import',
    verb: 'result',
    summary: 'print the file again, with what has become of each row',
    ...anImport,
    flags: [tenantFlag, { name: 'out', value: 'file', description: 'where to write it' }],
    call: (input) => ({ method: 'GET', path: one(input, '/result') }),
    readable: async (answer, input) => {
      if (input.out === undefined) return String(answer).trimEnd();
      const file = text(input, 'out');
      writeFileSync(file, String(answer));
      return `Written to ${file}.`;
    },
  },
];

function contentOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file === '-' ? 0 : file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'is not in UTF-8: save it as "CSV UTF-8"'
        : `can't be read (${code})`;
    throw new UsageError(`${file} ${why}`);
  }
}

const lookMs = 500;

/** Waits until all rows are carried out, and tells on the way how far it is. */
async function ended(started: Import, input: Input, get: Get): Promise<Import> {
  let last = started;
  while (last.state === 'running') {
    tellProgress(last);
    await sleep(lookMs);
    last = (await get(tenantPath(input, `/imports/${last.id}`))) as Import;
  }
  if (started.state === 'running') tellProgress(last);
  return last;
}

function tellProgress({ rows: { total, created, updated, unchanged, refused } }: Import): void {
  const done = created + updated + unchanged + refused;
  const told = `${done} of ${total} rows`;
  if (!process.stderr.isTTY) {
    process.stderr.write(`${told}\n`);
    return;
  }
  const width = 30;
  const filled = Math.round((width * done) / Math.max(1, total));
  const end = done === total ? '\n' : '';
  process.stderr.write(`\r[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${told}${end}`);
}

const refusedShown = 20;

async function withRefused(answer: Import, input: Input, get: Get): Promise<unknown> {
  if (answer.rows.refused === 0) return answer;
  const query = `outcome=refused&limit=${refusedShown}`;
  const { items } = (await get(tenantPath(input, `/imports/${answer.id}/rows?${query}`))) as {
    items: { line: number; detail: string }[];
  };
  const left = answer.rows.refused - items.length;
  const all = `\`import rows ${answer.id} --outcome refused\` has all of them`;
  return {
    ...answer,
    refused: items.map(({ line, detail }) => ({ line, detail })),
    ...(left === 0 ? {} : { left: `${left} more: ${all}` }),
  };
}
