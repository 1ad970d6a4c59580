/** The calls of identity providers. */

import { type Command, pageFlags, part, tenantFlag, tenantPath } from './command.ts';

const filters = ['directory', 'subject', 'method', 'status', 'from', 'to', 'search'];

export const requestCommands: readonly Command[] = [
  {
    noun: 'request',
    verb: 'list',
    summary: 'list the calls of identity providers, newest first',
    people: { subject: '/users' },
    flags: [
      tenantFlag,
      { name: 'directory', value: 'id', description: 'of which directory' },
      { name: 'subject', value: 'id|userName', description: 'of which user or group' },
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
];
