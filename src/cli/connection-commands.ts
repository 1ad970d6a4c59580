/** Connections to sign in with, and the trace of logins. */

import {
  type Command,
  type Flag,
  given,
  type Input,
  pageFlags,
  pairs,
  part,
  tenantFlag,
  tenantPath,
  truth,
} from './command.ts';

const truthValue = 'true|false';
const settingFlags: readonly Flag[] = [
  { name: 'create', value: truthValue, description: 'make people at their first login' },
  { name: 'approval', value: truthValue, description: 'who would be made waits for an administrator' },
  { name: 'jit', value: truthValue, description: 'false: a login makes nobody and claims no groups' },
  { name: 'groups-claim', value: 'name|off', description: 'the attribute that holds the groups' },
  {
    name: 'default-role',
    value: 'role|none|tenant',
    description: 'of people it makes whom no mapping names',
  },
  { name: 'attributes', value: 'a=b,…', description: 'the identity provider’s name of each attribute' },
  { name: 'directory', value: 'id', description: 'whose externalId the attribute of that name holds' },
  { name: 'name-id-format', value: 'URN', description: 'asked for' },
  { name: 'sign-requests', value: truthValue, description: 'sign what the browser is sent with' },
  { name: 'want-assertions-signed', value: truthValue, description: 'refuse assertions that are not signed' },
  { name: 'want-response-signed', value: truthValue, description: 'refuse responses not signed as a whole' },
  { name: 'revocation-issuer', value: 'URL', description: 'whose signed requests end people’s sessions' },
  { name: 'enabled', value: truthValue, description: 'false lets nobody in, and ends its sessions' },
];

function providerFlags(required: boolean): readonly Flag[] {
  return [
    { name: 'name', value: 'text', description: 'what people choose it by', required },
    {
      name: 'metadata',
      value: 'XML',
      description: 'of the identity provider, as `"$(cat metadata.xml)"`',
      required,
    },
  ];
}

function settings(input: Input): Record<string, unknown> {
  return given({
    protocol: 'saml',
    name: input.name,
    metadataXml: input.metadata,
    enabled: truth(input, 'enabled'),
    wantAssertionsSigned: truth(input, 'want-assertions-signed'),
    wantResponseSigned: truth(input, 'want-response-signed'),
    signRequests: truth(input, 'sign-requests'),
    nameIdFormat: input['name-id-format'],
    directoryId: input.directory,
    revocationIssuer: input['revocation-issuer'],
    jit: given({
      enabled: truth(input, 'jit'),
      create: truth(input, 'create'),
      approval: truth(input, 'approval'),
      attributes: pairs(input, 'attributes'),
      groupsClaim: input['groups-claim'] === 'off' ? null : input['groups-claim'],
      defaultRole: input['default-role'] === 'tenant' ? null : input['default-role'],
    }),
  });
}

const keyFlag: Flag = {
  name: 'key',
  value: 'id',
  description: 'as `connection show` has it',
  required: true,
};
const one = (input: Input) => tenantPath(input, `/connections/${part(input, 'connection-id')}`);

export const connectionCommands: readonly Command[] = [
  {
    noun: 'connection',
    verb: 'create',
    summary: 'add a SAML connection to sign in with',
    flags: [tenantFlag, ...providerFlags(true), ...settingFlags],
    call: (input) => ({ method: 'POST', path: tenantPath(input, '/connections'), body: settings(input) }),
  },
  {
    noun: 'connection',
    verb: 'set',
    summary: 'change a connection: what is not named stays as it is',
    argument: 'connection-id',
    flags: [tenantFlag, ...providerFlags(false), ...settingFlags],
    call: (input) => ({ method: 'PUT', path: one(input), body: settings(input) }),
  },
  {
    noun: 'connection',
    verb: 'list',
    summary: 'list connections',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/connections', 'limit', 'cursor') }),
    columns: ['name', 'id', 'enabled', 'identityProvider.entityId', 'loginUrl'],
  },
  {
    noun: 'connection',
    verb: 'show',
    summary: 'show a connection, and what the identity provider must be told',
    argument: 'connection-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: one(input) }),
  },
  {
    noun: 'connection',
    verb: 'delete',
    summary: 'remove a connection, its links and its sessions',
    argument: 'connection-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: one(input) }),
  },
  {
    noun: 'connection',
    verb: 'add-key',
    summary: 'add the next signing key of ours, and tell it in our metadata',
    argument: 'connection-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'POST', path: `${one(input)}/keys`, body: { use: 'signing' } }),
  },
  {
    noun: 'connection',
    verb: 'activate-key',
    summary: 'use a key of ours from now on',
    argument: 'connection-id',
    flags: [tenantFlag, keyFlag],
    call: (input) => ({ method: 'POST', path: `${one(input)}/keys/${part(input, 'key')}/activate` }),
  },
  {
    noun: 'connection',
    verb: 'remove-key',
    summary: 'remove a key of ours that is not the current one',
    argument: 'connection-id',
    flags: [tenantFlag, keyFlag],
    call: (input) => ({ method: 'DELETE', path: `${one(input)}/keys/${part(input, 'key')}` }),
  },
  {
    noun: 'login',
    verb: 'list',
    summary: 'list logins, the newest first, and why they were refused',
    flags: [
      tenantFlag,
      { name: 'connection', value: 'id', description: 'through this connection' },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, '/logins', 'connection', 'limit', 'cursor'),
    }),
    columns: ['at', 'outcome', 'reason', 'detail', 'user', 'id'],
  },
  {
    noun: 'login',
    verb: 'show',
    summary: 'show a login by the reference that the person was shown',
    argument: 'reference',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/logins/${part(input, 'reference')}`) }),
  },
];
