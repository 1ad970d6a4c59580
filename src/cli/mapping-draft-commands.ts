/** Versions of the mappings, and drafts of them. */

import {
  type Command,
  confirmFlag,
  type Flag,
  given,
  type Input,
  integer,
  json,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
  text,
} from './command.ts';

const versions: Command[] = [
  {
    noun: 'mapping',
    verb: 'versions',
    summary: 'list the versions of the mappings, newest first',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/mapping-versions', 'limit', 'cursor') }),
    columns: ['number', 'at', 'by', 'cause', 'size'],
  },
  {
    noun: 'mapping',
    verb: 'version',
    summary: 'show a version of the mappings',
    argument: 'number',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, `/mapping-versions/${part(input, 'number')}`),
    }),
  },
  {
    noun: 'mapping',
    verb: 'rollback',
    summary: 'put the mappings of a version in force again',
    argument: 'number',
    flags: [tenantFlag, confirmFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, `/mapping-versions/${part(input, 'number')}/rollback`, 'confirm'),
    }),
  },
];

const draftFlags: readonly Flag[] = [
  { name: 'name', value: 'text', description: 'what it is called', required: true },
  {
    name: 'mappings',
    value: 'json',
    description: 'the whole set, as the `items` of mapping list --json; left out: as it is',
  },
  { name: 'based-on', value: 'n', description: 'the version it is written on; the newest when left out' },
  { name: 'department', value: 'text', description: 'that is brought in' },
  { name: 'go-live-on', value: 'YYYY-MM-DD', description: 'the day on which it is to be in force' },
];
const rebaseFlag: Flag = { name: 'rebase', description: 'over what was activated since its version' };

function draftOf(input: Input): Record<string, unknown> {
  return given({
    name: text(input, 'name'),
    mappings: input.mappings === undefined ? undefined : json(input, 'mappings'),
    basedOn: integer(input, 'based-on'),
    department: input.department,
    goLiveOn: input['go-live-on'],
  });
}

function draftPath(input: Input, rest = '', ...query: string[]): string {
  return tenantPath(input, `/mapping-drafts/${part(input, 'draft-id')}${rest}`, ...query);
}

const drafts: Command[] = [
  {
    noun: 'mapping-draft',
    verb: 'create',
    summary: 'write a draft of the mappings',
    flags: [tenantFlag, ...draftFlags],
    call: (input) => ({ method: 'POST', path: tenantPath(input, '/mapping-drafts'), body: draftOf(input) }),
  },
  {
    noun: 'mapping-draft',
    verb: 'list',
    summary: 'list drafts of the mappings',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/mapping-drafts', 'limit', 'cursor') }),
    columns: ['name', 'state', 'basedOn', 'department', 'goLiveOn', 'activateAt', 'id'],
  },
  {
    noun: 'mapping-draft',
    verb: 'show',
    summary: 'show a draft, and once it is activated what came of it',
    argument: 'draft-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: draftPath(input) }),
  },
  {
    noun: 'mapping-draft',
    verb: 'update',
    summary: 'replace a draft; where it was scheduled it no longer is',
    argument: 'draft-id',
    flags: [tenantFlag, ...draftFlags],
    call: (input) => ({ method: 'PUT', path: draftPath(input), body: draftOf(input) }),
  },
  {
    noun: 'mapping-draft',
    verb: 'delete',
    summary: 'delete a draft; what it activated stays',
    argument: 'draft-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: draftPath(input) }),
  },
  {
    noun: 'mapping-draft',
    verb: 'preview',
    summary: 'say what a draft would do to whom',
    argument: 'draft-id',
    flags: [tenantFlag, rebaseFlag, ...pageFlags],
    call: (input) => ({
      method: 'POST',
      path: draftPath(input, '/preview', 'limit', 'cursor'),
      body: given({ rebase: input.rebase }),
    }),
  },
  {
    noun: 'mapping-draft',
    verb: 'activate',
    summary: 'put a draft in force, now or at a time',
    argument: 'draft-id',
    flags: [
      tenantFlag,
      rebaseFlag,
      { name: 'at', value: 'time', description: 'ISO 8601; when left out on its day, else now' },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'POST',
      path: draftPath(input, '/activate', 'confirm'),
      body: given({ at: input.at, rebase: input.rebase }),
    }),
  },
];

export const mappingDraftCommands: readonly Command[] = [...versions, ...drafts];
