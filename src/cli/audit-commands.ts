/** The audit trail. */

import {
  type Command,
  type Input,
  integer,
  pageFlags,
  tenantFlag,
  tenantPath,
  text,
  UsageError,
} from './command.ts';

interface Broken {
  why: 'content' | 'mac' | 'missing' | 'kept' | 'roles';
  seal: number | null;
  from: string | null;
  to: string | null;
  entries: number | null;
  found: number | null;
  roleSet?: string;
}

interface Answer {
  ok: boolean;
  sealedTo: string | null;
  seal: { number: number; hash: string } | null;
  firstBroken?: Broken;
  nextCursor: string | null;
}

export const auditCommands: readonly Command[] = [
  {
    noun: 'audit',
    verb: 'list',
    summary: 'list who did what, newest first',
    flags: [
      tenantFlag,
      { name: 'subject', value: 'id', description: 'to what or whom' },
      { name: 'action', value: 'word', description: 'as user.updated' },
      { name: 'actor', value: 'id', description: 'by whom' },
      { name: 'from', value: 'time', description: 'ISO 8601' },
      { name: 'to', value: 'time', description: 'ISO 8601, not included' },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, '/audit', 'subject', 'action', 'actor', 'from', 'to', 'limit', 'cursor'),
    }),
    columns: ['at', 'actor.name', 'action', 'subject'],
  },
  {
    noun: 'audit',
    verb: 'verify',
    summary: 'verify that the trail is as it was written; exit code 1: it is not',
    flags: [
      tenantFlag,
      { name: 'seal', value: 'n', description: 'number of a seal that you kept of an earlier answer' },
      { name: 'hash', value: 'hex', description: 'and its hash: is it still the same?' },
    ],
    call: (input) => {
      if (input.hash !== undefined && !/^[0-9a-f]{64}$/.test(text(input, 'hash')))
        throw new UsageError('--hash takes all 64 digits of seal.hash, as `audit verify` has shown them');
      return { method: 'GET', path: verifyPath(input) };
    },
    whole: async (answer, input, get) => {
      let whole = answer as Answer;
      while (whole.nextCursor !== null) {
        whole = (await get(verifyPath({ ...input, cursor: whole.nextCursor }))) as Answer;
      }
      return whole;
    },
    readable: async (answer) => {
      const { firstBroken: _, nextCursor: __, ...shown } = answer as Answer;
      return shown;
    },
    problem: (answer) => {
      const { firstBroken } = answer as Answer;
      return firstBroken && `${whatIsBroken(firstBroken)}\n${whatToDo[firstBroken.why]}`;
    },
  },
];

function verifyPath(input: Input): string {
  integer(input, 'seal');
  if ((input.seal === undefined) !== (input.hash === undefined))
    throw new UsageError('--seal and --hash go together: number and hash of one seal');
  return tenantPath(input, '/audit/verify', 'cursor', 'seal', 'hash');
}

function whatIsBroken({ why, seal, from, to, entries, found, roleSet }: Broken): string {
  const window = `the entries ${from === null ? 'from the first one on' : `after ${from}`}${to === null ? '' : `, up to ${to}`}`;
  switch (why) {
    case 'content':
      return `The trail was changed: seal ${seal} covers ${window}. ${
        found === entries ? allThere(entries) : `${entries} were sealed, ${found} are there.`
      }`;
    case 'mac':
      return `Seal ${seal} was not made with this gateway's SECRETS_KEY: it covers ${window}.`;
    case 'missing':
      return `Seal ${seal} is gone: it covered some of ${window}.`;
    case 'kept':
      return `Seal ${seal} is not the one that was kept: history was written anew, or cut off${
        to === null ? ' before it' : ''
      }.`;
    case 'roles':
      return `The roles of the set ${roleSet} were changed: entries that name it tell of other roles than were decided.`;
  }
}

const allThere = (entries: number | null) =>
  entries === 1
    ? 'The one entry is there, but not as it was written.'
    : `All ${entries} are there, but not as they were written.`;

const restored =
  'Keep the database as it is now. Restore a backup of before elsewhere, verify it, and compare both by `audit list`. Whoever could write to the database could do this: see docs/audit.md.';
const whatToDo: Record<Broken['why'], string> = {
  content: restored,
  mac: `If SECRETS_KEY was changed, give --seal and --hash of the last seal of the former one. If it was not: ${restored}`,
  missing: restored,
  kept: `Is it of this tenant, and of this installation? Then: ${restored}`,
  roles: restored,
};
