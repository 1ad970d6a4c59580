/** Domains of a tenant, and people who were removed. */

import { type Command, type Input, pageFlags, part, tenantFlag, tenantPath } from './command.ts';

const one = (input: Input, rest = '') => tenantPath(input, `/domains/${part(input, 'domain')}${rest}`);

export const domainCommands: readonly Command[] = [
  {
    noun: 'domain',
    verb: 'add',
    summary: 'name a domain, and see the TXT record that shows that it is yours',
    argument: 'domain',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/domains'),
      body: { domain: input.domain },
    }),
  },
  {
    noun: 'domain',
    verb: 'verify',
    summary: 'look at the TXT record of a domain',
    argument: 'domain',
    flags: [tenantFlag],
    call: (input) => ({ method: 'POST', path: one(input, '/verify') }),
  },
  {
    noun: 'domain',
    verb: 'list',
    summary: 'list domains',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/domains', 'limit', 'cursor') }),
    columns: ['domain', 'status', 'record.name', 'record.value', 'missingSince'],
  },
  {
    noun: 'domain',
    verb: 'remove',
    summary: 'remove a domain: connections serve it no longer',
    argument: 'domain',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: one(input) }),
  },
  {
    noun: 'removed-user',
    verb: 'list',
    summary: 'list people who were deleted, whom no login makes anew',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/removed-users', 'limit', 'cursor') }),
    columns: ['userName', 'removedAt', 'id'],
  },
  {
    noun: 'removed-user',
    verb: 'readmit',
    summary: 'let a login make the person anew',
    argument: 'user',
    people: { user: '/removed-users' },
    flags: [tenantFlag],
    call: (input) => ({
      method: 'DELETE',
      path: tenantPath(input, `/removed-users/${part(input, 'user')}`),
    }),
  },
];
