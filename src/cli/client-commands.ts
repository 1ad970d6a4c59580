/** Clients of the token endpoint, and their secrets. */

import {
  type Command,
  given,
  type Input,
  list,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
  text,
} from './command.ts';

const directoryFlag = { name: 'directory', value: 'id', description: 'of which directory', required: true };
const clientFlag = { name: 'client', value: 'id', description: 'of which client', required: true };

function clientsPath(input: Input, rest = '', ...query: string[]): string {
  return tenantPath(input, `/directories/${part(input, 'directory')}/clients${rest}`, ...query);
}

const clients: Command[] = [
  {
    noun: 'client',
    verb: 'create',
    summary: 'add a client of the token endpoint; its secret is shown once',
    flags: [
      tenantFlag,
      directoryFlag,
      { name: 'name', value: 'text', description: 'what it is called', required: true },
      { name: 'scopes', value: 'scim,scim.read', description: 'what it may ask for; scim when left out' },
      { name: 'issuer', value: 'url', description: 'whose assertions it shows, instead of a secret' },
      { name: 'audience', value: 'text', description: 'the aud of its assertions' },
      { name: 'subject', value: 'text', description: 'the sub of its assertions' },
    ],
    call: (input) => ({
      method: 'POST',
      path: clientsPath(input),
      body: given({
        name: text(input, 'name'),
        scopes: list(input, 'scopes'),
        issuer: input.issuer,
        audience: input.audience,
        subject: input.subject,
      }),
    }),
  },
  {
    noun: 'client',
    verb: 'list',
    summary: "list a directory's clients",
    flags: [tenantFlag, directoryFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: clientsPath(input, '', 'limit', 'cursor') }),
    columns: ['name', 'id', 'scopes', 'issuer', 'createdAt'],
  },
  {
    noun: 'client',
    verb: 'show',
    summary: 'show a client and its secrets, but for what they are',
    argument: 'client-id',
    flags: [tenantFlag, directoryFlag],
    call: (input) => ({ method: 'GET', path: clientsPath(input, `/${part(input, 'client-id')}`) }),
  },
  {
    noun: 'client',
    verb: 'delete',
    summary: 'remove a client, and end its access tokens at once',
    argument: 'client-id',
    flags: [tenantFlag, directoryFlag],
    call: (input) => ({ method: 'DELETE', path: clientsPath(input, `/${part(input, 'client-id')}`) }),
  },
];

const secrets: Command[] = [
  {
    noun: 'client-secret',
    verb: 'create',
    summary: 'add a secret to a client; it is shown once',
    flags: [
      tenantFlag,
      directoryFlag,
      clientFlag,
      { name: 'expires-at', value: 'time', description: 'ISO 8601; never when left out' },
    ],
    call: (input) => ({
      method: 'POST',
      path: clientsPath(input, `/${part(input, 'client')}/secrets`),
      body: given({ expiresAt: input['expires-at'] }),
    }),
  },
  {
    noun: 'client-secret',
    verb: 'revoke',
    summary: 'revoke a secret: no further token is had with it',
    argument: 'secret-id',
    flags: [tenantFlag, directoryFlag, clientFlag],
    call: (input) => ({
      method: 'DELETE',
      path: clientsPath(input, `/${part(input, 'client')}/secrets/${part(input, 'secret-id')}`),
    }),
  },
];

export const clientCommands: readonly Command[] = [...clients, ...secrets];
