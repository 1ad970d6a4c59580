/** Tenants, their settings, operators, keys, directories and tokens. */

import {
  type Command,
  confirmFlag,
  given,
  type Input,
  integer,
  list,
  pageFlags,
  pairs,
  part,
  tenantFlag,
  tenantPath,
  text,
  truth,
  UsageError,
  withQuery,
} from './command.ts';

const nameFlag = { name: 'name', value: 'text', description: 'what it is called', required: true };
const expiryFlag = { name: 'expires-at', value: 'time', description: 'ISO 8601; never when left out' };
const directoryFlag = { name: 'directory', value: 'id', description: 'of which directory', required: true };

const tenants: Command[] = [
  {
    noun: 'tenant',
    verb: 'create',
    summary: 'make a tenant',
    flags: [nameFlag, { name: 'slug', value: 'text', description: 'stands in paths', required: true }],
    call: (input) => ({
      method: 'POST',
      path: '/tenants',
      body: { name: text(input, 'name'), slug: text(input, 'slug') },
    }),
  },
  {
    noun: 'tenant',
    verb: 'list',
    summary: 'list tenants',
    flags: pageFlags,
    call: (input) => ({ method: 'GET', path: withQuery('/tenants', input, ['limit', 'cursor']) }),
    columns: ['slug', 'name', 'id', 'createdAt'],
  },
  {
    noun: 'tenant',
    verb: 'show',
    summary: 'show a tenant, named with the flag or without',
    argument: 'tenant',
    isArgumentOptional: true,
    flags: [{ ...tenantFlag, required: false }],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '') }),
  },
];

const keys: Command[] = [
  {
    noun: 'operator',
    verb: 'create',
    summary: 'make an operator; the key is shown once',
    flags: [nameFlag],
    call: (input) => ({ method: 'POST', path: '/operators', body: { name: text(input, 'name') } }),
  },
  {
    noun: 'operator',
    verb: 'list',
    summary: 'list operators',
    flags: pageFlags,
    call: (input) => ({ method: 'GET', path: withQuery('/operators', input, ['limit', 'cursor']) }),
    columns: ['name', 'id', 'createdAt'],
  },
  {
    noun: 'operator',
    verb: 'revoke',
    summary: "revoke an operator's key at once",
    argument: 'operator-id',
    flags: [],
    call: (input) => ({ method: 'DELETE', path: `/operators/${part(input, 'operator-id')}` }),
  },
  {
    noun: 'key',
    verb: 'create',
    summary: "make a key of a tenant's own; it is shown once",
    flags: [
      tenantFlag,
      nameFlag,
      { name: 'role', value: 'owner|admin|auditor', description: 'what it may do', required: true },
      expiryFlag,
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/keys'),
      body: given({ name: text(input, 'name'), role: text(input, 'role'), expiresAt: input['expires-at'] }),
    }),
  },
  {
    noun: 'key',
    verb: 'list',
    summary: "list a tenant's keys",
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/keys', 'limit', 'cursor') }),
    columns: ['name', 'role', 'id', 'expiresAt'],
  },
  {
    noun: 'key',
    verb: 'revoke',
    summary: 'revoke a key at once',
    argument: 'key-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: tenantPath(input, `/keys/${part(input, 'key-id')}`) }),
  },
];

const directories: Command[] = [
  {
    noun: 'directory',
    verb: 'create',
    summary: 'add an identity provider',
    flags: [
      tenantFlag,
      nameFlag,
      { name: 'kind', value: 'entra|okta|generic|strict', description: 'what it is', required: true },
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/directories'),
      body: { name: text(input, 'name'), kind: text(input, 'kind') },
    }),
  },
  {
    noun: 'directory',
    verb: 'list',
    summary: 'list identity providers',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/directories', 'limit', 'cursor') }),
    columns: ['name', 'kind', 'id', 'createdAt'],
  },
  {
    noun: 'token',
    verb: 'issue',
    summary: 'issue a token for an identity provider; it is shown once',
    flags: [tenantFlag, directoryFlag, nameFlag, expiryFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, `/directories/${part(input, 'directory')}/tokens`),
      body: given({ name: text(input, 'name'), expiresAt: input['expires-at'] }),
    }),
  },
  {
    noun: 'token',
    verb: 'list',
    summary: "list a directory's tokens",
    flags: [tenantFlag, directoryFlag, ...pageFlags],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, `/directories/${part(input, 'directory')}/tokens`, 'limit', 'cursor'),
    }),
    columns: ['name', 'id', 'createdAt', 'expiresAt', 'lastUsedAt'],
  },
  {
    noun: 'token',
    verb: 'rotate',
    summary: 'put a new token in the place of one; it is shown once',
    argument: 'token-id',
    flags: [
      tenantFlag,
      directoryFlag,
      { name: 'overlap-minutes', value: 'n', description: 'how long both work; 1440 when left out' },
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(
        input,
        `/directories/${part(input, 'directory')}/tokens/${part(input, 'token-id')}/rotate`,
      ),
      body: given({ overlapMinutes: integer(input, 'overlap-minutes') }),
    }),
  },
  {
    noun: 'token',
    verb: 'revoke',
    summary: 'revoke a token at once',
    argument: 'token-id',
    flags: [tenantFlag, directoryFlag],
    call: (input) => ({
      method: 'DELETE',
      path: tenantPath(input, `/directories/${part(input, 'directory')}/tokens/${part(input, 'token-id')}`),
    }),
  },
];

const settings: Command[] = [
  {
    noun: 'settings',
    verb: 'show',
    summary: "show a tenant's settings",
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/settings') }),
  },
  {
    noun: 'settings',
    verb: 'set',
    summary: "change a tenant's settings; what is not named stays as it is",
    flags: [
      tenantFlag,
      { name: 'default-role', value: 'role', description: 'of people whom no mapping names; none: nothing' },
      { name: 'order', value: 'sticky|strict', description: 'whether the time of a claim counts' },
      {
        name: 'settlement',
        value: 'immediate|cycle|staged',
        description: 'when free seats are given: at once, after three quiet minutes, by hand',
      },
      {
        name: 'hold-minutes',
        value: 'n',
        description: 'how long the place of a mover is kept; 0: not at all',
      },
      { name: 'tombstone-hours', value: 'n', description: 'and that of members of a deleted group' },
      { name: 'notice-hours', value: 'n', description: 'order strict: told so long before a seat goes' },
      { name: 'breaker', value: 'percent,people|off', description: 'from where on an edit is asked about' },
      { name: 'reclaim-days', value: 'n|off', description: 'idle holders are asked after so many days' },
      {
        name: 'approvals',
        value: 'role=mode, …',
        description:
          'automatic, manual or when_full: who gives the seats of a role; "": nobody in particular',
      },
      { name: 'two-person-rule', value: 'true|false', description: 'delicate edits need a second person' },
      { name: 'exclusions', value: 'names', description: 'between commas: people who are left alone' },
      {
        name: 'parking',
        value: 'true|false',
        description: 'unknown members of groups wait for their people',
      },
      { name: 'request-retention-days', value: 'n', description: 'how long calls stay recorded' },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, '/settings', 'confirm'),
      onto: tenantPath(input, '/settings'),
      body: named({
        defaultRole: input['default-role'],
        order: input.order,
        settlement: input.settlement,
        holdMinutes: integer(input, 'hold-minutes'),
        tombstoneHours: integer(input, 'tombstone-hours'),
        noticeHours: integer(input, 'notice-hours'),
        breaker: breakerOf(input),
        reclaimDays: input['reclaim-days'] === 'off' ? null : integer(input, 'reclaim-days'),
        approvals: pairs(input, 'approvals'),
        twoPersonRule: truth(input, 'two-person-rule'),
        exclusions: list(input, 'exclusions'),
        parking: truth(input, 'parking'),
        requestRetentionDays: integer(input, 'request-retention-days'),
      }),
    }),
  },
];

/** @throws UsageError where nothing is. */
function named(fields: Record<string, unknown>): Record<string, unknown> {
  const body = given(fields);
  if (Object.keys(body).length === 0) throw new UsageError('name what is to be changed');
  return body;
}

export const tenantCommands: readonly Command[] = [...tenants, ...keys, ...directories, ...settings];

/** undefined: the flag was not given. */
function breakerOf({ breaker }: Input): { percent: number; people: number } | null | undefined {
  if (breaker === undefined) return undefined;
  if (breaker === 'off') return null;
  const [, percent, people] = /^(\d+),(\d+)$/.exec(String(breaker)) ?? [];
  if (percent === undefined) throw new UsageError('--breaker takes percent,people or off');
  return { percent: Number(percent), people: Number(people) };
}
