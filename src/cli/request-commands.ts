/** The calls of identity providers, and a tenant's settings. */

import {
  type Command,
  given,
  type Input,
  integer,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
  UsageError,
} from './command.ts';

const filters = ['directory', 'subject', 'method', 'status', 'from', 'to', 'search'];

export const requestCommands: readonly Command[] = [
  {
    noun: 'request',
    verb: 'list',
    summary: 'list the calls of identity providers, newest first',
    flags: [
      tenantFlag,
      { name: 'directory', value: 'id', description: 'of which directory' },
      { name: 'subject', value: 'id', description: 'of which user or group' },
      { name: 'method', value: 'word', description: 'GET, POST, PUT, PATCH, DELETE' },
      { name: 'status', value: 'n|nxx', description: 'as 409, or a class as 4xx' },
      { name: 'from', value: 'time', description: 'ISO 8601' },
      { name: 'to', value: 'time', description: 'ISO 8601, not included' },
      { name: 'request-id', value: 'id', description: 'as answered in x-request-id' },
      { name: 'search', value: 'text', description: 'what path or query holds' },
      ...pageFlags,
    ],
    call: (input) => {
      const renamed = { ...input, requestId: input['request-id'] };
      return {
        method: 'GET',
        path: tenantPath(renamed, '/requests', ...filters, 'requestId', 'limit', 'cursor'),
      };
    },
    columns: ['at', 'method', 'path', 'query', 'status', 'durationMs', 'id'],
  },
  {
    noun: 'request',
    verb: 'show',
    summary: 'show a call with its bodies, without secrets',
    argument: 'id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/requests/${part(input, 'id')}`) }),
  },
  {
    noun: 'request',
    verb: 'replay',
    summary: 'try a call again without doing it: what it would answer and change now',
    argument: 'id',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, `/requests/${part(input, 'id')}/replay`),
      body: {},
    }),
  },
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
    summary: "replace a tenant's settings; what is left out has its default",
    flags: [
      tenantFlag,
      {
        name: 'parking',
        value: 'true|false',
        description: 'unknown members of groups wait for their people',
      },
      { name: 'request-retention-days', value: 'n', description: 'how long calls stay recorded' },
    ],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, '/settings'),
      body: given({
        parking: truth(input, 'parking'),
        requestRetentionDays: integer(input, 'request-retention-days'),
      }),
    }),
  },
];

/** undefined: the flag was not given. */
function truth(input: Input, name: string): boolean | undefined {
  const value = input[name];
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false') throw new UsageError(`--${name} takes true or false`);
  return value === 'true';
}
