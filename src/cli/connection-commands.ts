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
  text,
} from './command.ts';

const settingFlags: readonly Flag[] = [
  { name: 'name', value: 'text', description: 'what people choose it by', required: true },
  { name: 'create', description: 'make people at their first login' },
  { name: 'attributes', value: 'a=b,…', description: 'the identity provider’s name of each attribute' },
  { name: 'directory', value: 'id', description: 'whose externalId the attribute of that name holds' },
  { name: 'name-id-format', value: 'URN', description: 'asked for' },
  { name: 'sign-requests', description: 'sign what the browser is sent with' },
  { name: 'want-response-signed', description: 'refuse responses that are not signed as a whole' },
  { name: 'disabled', description: 'let nobody in, and end its sessions' },
];

function metadataFlag(required: boolean): Flag {
  const description = 'of the identity provider, as `"$(cat metadata.xml)"`';
  return { name: 'metadata', value: 'XML', description, required };
}

function settings(input: Input): Record<string, unknown> {
  const attributes = pairs(input, 'attributes');
  return given({
    protocol: 'saml',
    name: text(input, 'name'),
    metadataXml: input.metadata,
    enabled: input.disabled === undefined ? undefined : false,
    wantResponseSigned: input['want-response-signed'],
    signRequests: input['sign-requests'],
    nameIdFormat: input['name-id-format'],
    directoryId: input.directory,
    jit: given({ create: input.create, attributes }),
  });
}

const one = (input: Input) => tenantPath(input, `/connections/${part(input, 'connection-id')}`);

export const connectionCommands: readonly Command[] = [
  {
    noun: 'connection',
    verb: 'create',
    summary: 'add a SAML connection to sign in with',
    flags: [tenantFlag, metadataFlag(true), ...settingFlags],
    call: (input) => ({ method: 'POST', path: tenantPath(input, '/connections'), body: settings(input) }),
  },
  {
    noun: 'connection',
    verb: 'set',
    summary: 'change a connection: what is left out is off; without --metadata the identity provider stays',
    argument: 'connection-id',
    flags: [tenantFlag, metadataFlag(false), ...settingFlags],
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
