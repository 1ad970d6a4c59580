/** What identity providers may send beside users and groups: extension schemas, and who waits for a group. */

import { type Command, pageFlags, part, tenantFlag, tenantPath, text, UsageError } from './command.ts';

const definitionFlag = {
  name: 'definition',
  value: 'JSON',
  description: 'the schema, as `"$(cat schema.json)"`',
  required: true,
};

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new UsageError('--definition takes JSON');
  }
}

export const scimCommands: readonly Command[] = [
  {
    noun: 'schema',
    verb: 'create',
    summary: 'register an extension schema',
    flags: [tenantFlag, definitionFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/schemas'),
      body: json(text(input, 'definition')),
    }),
  },
  {
    noun: 'schema',
    verb: 'list',
    summary: 'list extension schemas',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/schemas', 'limit', 'cursor') }),
    columns: ['urn', 'name', 'resourceType', 'id'],
  },
  {
    noun: 'schema',
    verb: 'show',
    summary: 'show an extension schema',
    argument: 'schema-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/schemas/${part(input, 'schema-id')}`) }),
  },
  {
    noun: 'schema',
    verb: 'set',
    summary: 'change an extension schema: attributes are only ever added',
    argument: 'schema-id',
    flags: [tenantFlag, definitionFlag],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, `/schemas/${part(input, 'schema-id')}`),
      body: json(text(input, 'definition')),
    }),
  },
  {
    noun: 'schema',
    verb: 'delete',
    summary: 'remove an extension schema that nobody holds values of',
    argument: 'schema-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: tenantPath(input, `/schemas/${part(input, 'schema-id')}`) }),
  },
  {
    noun: 'parked',
    verb: 'list',
    summary: 'list members that wait for their people',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/parked-members', 'limit', 'cursor') }),
    columns: ['group.displayName', 'value', 'directory.name', 'since'],
  },
];
