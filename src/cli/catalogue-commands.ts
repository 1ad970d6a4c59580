/** The role catalogue, which operators write. */

import {
  type Command,
  confirmFlag,
  type Flag,
  type Input,
  pageFlags,
  part,
  text,
  UsageError,
  withQuery,
} from './command.ts';

const roles: Flag = {
  name: 'roles',
  value: 'JSON',
  description: 'every role, as `"$(cat roles.json)"`: what `catalogue show --json` has in roles',
  required: true,
};

function rolesOf(input: Input): unknown {
  try {
    return JSON.parse(text(input, 'roles'));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError('--roles takes JSON');
  }
}

export const catalogueCommands: readonly Command[] = [
  {
    noun: 'catalogue',
    verb: 'show',
    summary: 'show which roles are paid, and what each is in Blue',
    flags: [],
    call: () => ({ method: 'GET', path: '/catalogue' }),
  },
  {
    noun: 'catalogue',
    verb: 'versions',
    summary: 'list versions, newest first',
    flags: [...pageFlags],
    call: (input) => ({ method: 'GET', path: withQuery('/catalogue/versions', input, ['limit', 'cursor']) }),
    columns: ['version', 'recordedAt', 'by', 'reason'],
  },
  {
    noun: 'catalogue',
    verb: 'version',
    summary: 'show a version, and how many tenants are still to be decided for with it',
    argument: 'version',
    flags: [],
    call: (input) => ({ method: 'GET', path: `/catalogue/versions/${part(input, 'version')}` }),
  },
  {
    noun: 'catalogue',
    verb: 'preview',
    summary: 'see what other roles would do to each tenant; nothing is written',
    flags: [
      roles,
      { name: 'tenant', value: 'id or slug', description: 'one tenant, with names' },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'POST',
      path: withQuery('/catalogue/preview', input, ['tenant', 'limit', 'cursor']),
      body: { roles: rolesOf(input) },
    }),
    readable: async (answer, { tenant }) =>
      (tenant === undefined ? undefined : (answer as { items: unknown[] }).items[0]) ?? answer,
    columns: ['tenant.slug', 'seats.before', 'seats.after', 'people', 'gained', 'lost', 'queued'],
  },
  {
    noun: 'catalogue',
    verb: 'set',
    summary: 'write a version; tenants are decided for with it in the background',
    flags: [roles, { name: 'reason', value: 'text', description: 'why', required: true }, confirmFlag],
    call: (input) => ({
      method: 'PUT',
      path: withQuery('/catalogue', input, ['confirm']),
      body: { roles: rolesOf(input), reason: text(input, 'reason') },
    }),
  },
];
