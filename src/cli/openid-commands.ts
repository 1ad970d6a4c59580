/** Applications that sign people in at /oidc, and the keys it signs with. */

import {
  type Command,
  type Flag,
  given,
  type Input,
  integer,
  list,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
} from './command.ts';

function draftFlags(required: boolean): readonly Flag[] {
  return [
    { name: 'name', value: 'text', description: 'what people know it by', required },
    { name: 'redirect-uris', value: 'a,b,…', description: 'where people come back signed in', required },
    { name: 'post-logout-redirect-uris', value: 'a,b,…', description: 'where people come back signed out' },
    { name: 'backchannel-logout-uri', value: 'URL', description: 'told when a session is over' },
  ];
}

function draft(input: Input): Record<string, unknown> {
  return given({
    name: input.name,
    redirectUris: list(input, 'redirect-uris'),
    postLogoutRedirectUris: list(input, 'post-logout-redirect-uris'),
    backchannelLogoutUri: input['backchannel-logout-uri'],
  });
}

const one = (input: Input) => tenantPath(input, `/clients/${part(input, 'client-id')}`);

export const openIdCommands: readonly Command[] = [
  {
    noun: 'openid-client',
    verb: 'create',
    summary: 'add an application; its secret is shown once',
    flags: [tenantFlag, ...draftFlags(true)],
    call: (input) => ({ method: 'POST', path: tenantPath(input, '/clients'), body: draft(input) }),
  },
  {
    noun: 'openid-client',
    verb: 'set',
    summary: 'change an application: what is not named stays as it is',
    argument: 'client-id',
    flags: [tenantFlag, ...draftFlags(false)],
    call: (input) => ({ method: 'PUT', path: one(input), body: draft(input) }),
  },
  {
    noun: 'openid-client',
    verb: 'list',
    summary: 'list applications',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/clients', 'limit', 'cursor') }),
    columns: ['name', 'clientId', 'redirectUris', 'backchannelLogoutUri'],
  },
  {
    noun: 'openid-client',
    verb: 'show',
    summary: 'show an application',
    argument: 'client-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: one(input) }),
  },
  {
    noun: 'openid-client',
    verb: 'delete',
    summary: 'remove an application, its grants and its tokens',
    argument: 'client-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: one(input) }),
  },
  {
    noun: 'openid-key',
    verb: 'list',
    summary: 'list the keys that sign ID tokens',
    flags: [],
    call: () => ({ method: 'GET', path: '/openid-keys' }),
    columns: ['kid', 'state', 'signsFrom'],
  },
  {
    noun: 'openid-key',
    verb: 'rotate',
    summary: 'publish a new key, which signs after a while',
    flags: [{ name: 'after-minutes', value: 'n', description: 'how long it is published before; 60' }],
    call: (input) => ({
      method: 'POST',
      path: '/openid-keys',
      body: given({ afterMinutes: integer(input, 'after-minutes') }),
    }),
    columns: ['kid', 'state', 'signsFrom'],
  },
];
