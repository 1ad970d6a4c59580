/** Connections to sign in with, and the trace of logins. */

import {
  type Command,
  type Flag,
  given,
  type Input,
  list,
  pageFlags,
  pairs,
  part,
  tenantFlag,
  tenantPath,
  truth,
  UsageError,
} from './command.ts';

const truthValue = 'true|false';
const settingFlags: readonly Flag[] = [
  {
    name: 'template',
    value: 'entra|okta|google|adfs|keycloak',
    description: 'its names of the attributes, where none are given',
  },
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
  { name: 'domains', value: 'a,b', description: 'verified domains whose people sign in through it' },
  { name: 'directory', value: 'id', description: 'whose externalId the attribute of that name holds' },
  { name: 'name-id-format', value: 'URN', description: 'asked for' },
  { name: 'force-authn', value: truthValue, description: 'SAML: each login there must be made anew' },
  {
    name: 'authn-contexts',
    value: 'a,b',
    description: 'SAML: AuthnContextClassRefs, of which one must be met',
  },
  {
    name: 'prefer-post',
    value: truthValue,
    description: 'SAML: requests go by HTTP-POST, where both bindings are offered',
  },
  { name: 'allow-sha1', value: truthValue, description: 'SAML: take signatures by RSA-SHA1' },
  { name: 'allow-cbc', value: truthValue, description: 'SAML: take assertions encrypted with AES-CBC' },
  {
    name: 'allow-idp-initiated',
    value: truthValue,
    description: 'SAML: begin also at the identity provider',
  },
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
      description: 'SAML: the identity provider’s, as `"$(cat metadata.xml)"`',
    },
    {
      name: 'metadata-url',
      value: 'URL',
      description: 'SAML: where that is, in its place: fetched again when it changes',
    },
    { name: 'issuer', value: 'URL', description: 'OpenID: as the discovery document names it' },
    { name: 'client-id', value: 'text', description: 'OpenID: what the gateway is called there' },
    { name: 'client-secret', value: 'text', description: 'OpenID: never shown again' },
    {
      name: 'client-auth-method',
      value: 'method',
      description: 'OpenID: client_secret_basic, client_secret_post or private_key_jwt',
    },
    {
      name: 'id-token-alg',
      value: 'RS256|PS256|ES256',
      description: 'OpenID: what ID tokens are signed with',
    },
    { name: 'scopes', value: 'a,b', description: 'OpenID: openid,profile,email when left out' },
    {
      name: 'hosted-domain',
      value: 'domain',
      description: 'OpenID, Google: the Workspace that people must be of',
    },
    {
      name: 'single-logout',
      value: truthValue,
      description: 'OpenID: who signs out here signs out there, too',
    },
  ];
}

/** The commonest mistake is the file's name. */
function metadataXml({ metadata }: Input): string | true | undefined {
  if (typeof metadata === 'string' && !metadata.includes('<')) {
    throw new UsageError(`--metadata takes the XML itself: --metadata "$(cat ${metadata})"`);
  }
  return metadata;
}

function settings(input: Input): Record<string, unknown> {
  return given({
    name: input.name,
    template: input.template,
    metadataXml: metadataXml(input),
    metadataUrl: input['metadata-url'],
    enabled: truth(input, 'enabled'),
    wantAssertionsSigned: truth(input, 'want-assertions-signed'),
    wantResponseSigned: truth(input, 'want-response-signed'),
    signRequests: truth(input, 'sign-requests'),
    preferPost: truth(input, 'prefer-post'),
    forceAuthn: truth(input, 'force-authn'),
    allowSha1: truth(input, 'allow-sha1'),
    allowCbc: truth(input, 'allow-cbc'),
    allowIdpInitiated: truth(input, 'allow-idp-initiated'),
    authnContexts: list(input, 'authn-contexts'),
    nameIdFormat: input['name-id-format'],
    issuer: input.issuer,
    clientId: input['client-id'],
    clientSecret: input['client-secret'],
    clientAuthMethod: input['client-auth-method'],
    idTokenSignedResponseAlg: input['id-token-alg'],
    scopes: list(input, 'scopes'),
    hostedDomain: input['hosted-domain'],
    singleLogout: truth(input, 'single-logout'),
    directoryId: input.directory,
    domains: list(input, 'domains'),
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
    summary: 'add a connection to sign in with: by OpenID Connect with --issuer, else by SAML',
    flags: [tenantFlag, ...providerFlags(true), ...settingFlags],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/connections'),
      body: { protocol: input.issuer === undefined ? 'saml' : 'oidc', ...settings(input) },
    }),
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
    columns: ['name', 'id', 'enabled', 'protocol', 'loginUrl'],
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
    verb: 'confirm-metadata',
    summary: 'take what fetched metadata says now, once you know that it is meant',
    argument: 'connection-id',
    flags: [
      tenantFlag,
      {
        name: 'seen-at',
        value: 'time',
        description: 'of the change, as `connection show` has it',
        required: true,
      },
    ],
    call: (input) => ({
      method: 'POST',
      path: `${one(input)}/metadata/confirm`,
      body: { seenAt: input['seen-at'] },
    }),
  },
  {
    noun: 'connection',
    verb: 'end-sessions',
    summary: 'end all its sessions, as after a key of the identity provider got lost',
    argument: 'connection-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: `${one(input)}/sessions` }),
  },
  {
    noun: 'connection',
    verb: 'test',
    summary: 'answer the address of a test login; open it in a browser and sign in',
    argument: 'connection-id',
    flags: [tenantFlag],
    call: (input) => ({ method: 'POST', path: `${one(input)}/tests` }),
  },
  {
    noun: 'connection',
    verb: 'test-result',
    summary: 'show what a test login came to',
    argument: 'connection-id',
    flags: [
      tenantFlag,
      { name: 'test', value: 'id', description: 'as `connection test` has it', required: true },
    ],
    call: (input) => ({ method: 'GET', path: `${one(input)}/tests/${part(input, 'test')}` }),
  },
  {
    noun: 'connection',
    verb: 'add-key',
    summary: 'add the next key of ours for signing, or one for encryption, and tell it in our metadata',
    argument: 'connection-id',
    flags: [tenantFlag, { name: 'use', value: 'signing|encryption', description: 'signing when left out' }],
    call: (input) => ({ method: 'POST', path: `${one(input)}/keys`, body: { use: input.use ?? 'signing' } }),
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
