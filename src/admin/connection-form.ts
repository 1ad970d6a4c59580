/** What an admin writes of a connection, and reads of it: what is the same for every protocol, and whose fields the others are. */

import Type, { type Static } from 'typebox';
import { parseDomain } from '../domains/core/domain-name.ts';
import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, parseId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { entryKeyOf } from '../licensing/catalogue.ts';
import {
  type Connection,
  type ConnectionDraft,
  type JustInTime,
  revocationUrlOf,
} from '../sso/connection.ts';
import type { IdentityProvider } from '../sso/core/metadata.ts';
import { unknownDirectory } from './directory-path.ts';
import { oidcAnswer, oidcFields, readOidc, showOidc } from './oidc-connection-form.ts';
import { readSaml, samlAnswer, samlFields, showSaml, templateOf } from './saml-connection-form.ts';
import { closed, Id, Name, nullable, Time } from './schemas.ts';

const AttributeName = Type.String({ minLength: 1, maxLength: 300 });
const attributes = {
  subject: Type.Optional(
    Type.String({
      ...AttributeName,
      description: 'In place of the NameID, where that is not persistent: it must never change for a person.',
    }),
  ),
  externalId: Type.Optional(
    Type.String({
      ...AttributeName,
      description: 'Holds the externalId that `directoryId` pushes over SCIM.',
    }),
  ),
  userName: Type.Optional(AttributeName),
  email: Type.Optional(AttributeName),
  givenName: Type.Optional(AttributeName),
  familyName: Type.Optional(AttributeName),
  displayName: Type.Optional(AttributeName),
};
const Jit = Type.Object(
  {
    enabled: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'false: a login makes nobody and claims no groups, whatever else is set.',
      }),
    ),
    create: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Makes people at their first login; else only who was provisioned gets in.',
      }),
    ),
    approval: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'With `create`: who would be made waits as an access request for an administrator.',
      }),
    ),
    attributes: Type.Optional(
      Type.Object(attributes, { ...closed, description: 'The identity provider’s name for each attribute.' }),
    ),
    groupsClaim: Type.Optional(
      nullable(
        Type.String({
          ...AttributeName,
          description:
            'Holds the groups that mappings name by `claim`. Without a value a login leaves the groups as they were. Another one, or null, forgets what was claimed.',
        }),
      ),
    ),
    defaultRole: Type.Optional(
      nullable(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description:
            'Of the people whom the connection makes, where no mapping names them, instead of the tenant’s; "none", or null: the tenant’s. A change concerns also who was made before.',
        }),
      ),
    ),
  },
  closed,
);
const common = {
  name: Name,
  enabled: Type.Optional(Type.Boolean({ default: true })),
  directoryId: Type.Optional(
    nullable(Type.String({ description: 'Whose externalId `jit.attributes.externalId` holds.' })),
  ),
  jit: Type.Optional(Jit),
  domains: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), {
      maxItems: limits.domainsPerTenantMax,
      description: 'Verified domains of the tenant, whose people sign in through this connection.',
    }),
  ),
  revocationIssuer: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: 2000,
        description:
          'Whose signed requests to `revocationUrl` end people’s sessions (Global Token Revocation; Okta’s Universal Logout): their `iss`, an https URL with a discovery document.',
      }),
    ),
  ),
};
const Protocol = Type.Enum(['saml', 'oidc']);
/** Fields of both protocols: which are for which is checked by `readConnection`, which says so better than a union could. */
export const ConnectionBody = Type.Object(
  { protocol: Protocol, ...common, ...samlFields, ...oidcFields },
  closed,
);
export const ConnectionChange = Type.Partial(ConnectionBody, {
  ...closed,
  description: 'What is left out stays as it is; the protocol does always.',
});

const ofItsProtocol = Type.Partial(Type.Object({ ...oidcAnswer, ...samlAnswer }));
export const ConnectionAnswer = Type.Object({
  id: Id,
  protocol: Protocol,
  name: Type.String(),
  enabled: Type.Boolean(),
  ...ofItsProtocol.properties,
  directoryId: nullable(Id),
  jit: Type.Object({
    enabled: Type.Boolean(),
    create: Type.Boolean(),
    approval: Type.Boolean(),
    attributes: Type.Object({}, { additionalProperties: Type.String() }),
    groupsClaim: nullable(Type.String()),
    defaultRole: nullable(Type.String()),
  }),
  domains: Type.Array(Type.String()),
  revocationIssuer: nullable(Type.String()),
  revocationUrl: Type.String(),
  createdAt: Time,
});

const usualJit = {
  ...{ enabled: true, create: false, approval: false, attributes: {} },
  ...{ groupsClaim: null, defaultRole: null },
};

/** @param before What stays of it is left out; undefined: the connection is made. @throws Fault `invalid` */
export function readConnection(
  body: Static<typeof ConnectionChange>,
  before?: Connection,
  fetched?: IdentityProvider,
): ConnectionDraft {
  const protocol = before?.protocol ?? body.protocol;
  if (body.protocol !== undefined && body.protocol !== protocol) {
    const text = `The connection speaks ${protocol}, and goes on to: add another one for ${body.protocol}.`;
    throw new Fault('invalid', text, { field: 'protocol' });
  }
  const common = readCommon(body, before);
  if (protocol === 'oidc') {
    refuseForeign(body, samlFields, 'saml');
    const settings = before?.protocol === 'oidc' ? before.settings : undefined;
    return { ...common, protocol, settings: readOidc(body, settings) };
  }
  refuseForeign(body, oidcFields, 'oidc');
  if (common.jit.create && common.jit.attributes.userName === undefined) {
    const text =
      'With jit.create there must be an attribute for userName: name it, as jit.attributes.userName.';
    throw new Fault('invalid', text, { field: 'jit.attributes.userName' });
  }
  const settings = before?.protocol === 'saml' ? before.settings : undefined;
  return { ...common, protocol: 'saml', settings: readSaml(body, settings, fetched) };
}

function refuseForeign(body: object, fields: object, protocol: string): void {
  const field = Object.keys(fields).find((name) => Object.hasOwn(body, name));
  if (field !== undefined) {
    throw new Fault('invalid', `${field} is for connections of the protocol ${protocol}.`, { field });
  }
}

function readCommon(body: Static<typeof ConnectionChange>, before?: Connection) {
  const { name = before?.name ?? '', enabled = before?.enabled ?? true } = body;
  const named = body.jit?.attributes ?? templateOf(body)?.attributes;
  const jit: JustInTime = { ...(before?.jit ?? usualJit), ...body.jit, ...(named && { attributes: named }) };
  if (jit.defaultRole !== null && jit.defaultRole !== 'none' && entryKeyOf(jit.defaultRole) === undefined) {
    throw new Fault('invalid', `${jit.defaultRole} is no role of Blue.`, { field: 'jit.defaultRole' });
  }
  const directoryId =
    body.directoryId === undefined ? (before?.directoryId ?? null) : readDirectory(body.directoryId);
  if ((jit.attributes.externalId === undefined) !== (directoryId === null)) {
    const text =
      'directoryId and jit.attributes.externalId come together: the claim holds an externalId of that directory.';
    throw new Fault('invalid', text, { field: 'directoryId' });
  }
  const domains = body.domains === undefined ? (before?.domains ?? []) : readDomains(body.domains);
  const { revocationIssuer = before?.revocationIssuer ?? null } = body;
  return { name, enabled, directoryId, jit, domains, revocationIssuer };
}

/** Each once, in their order. */
function readDomains(texts: readonly string[]): string[] {
  const domains = texts.map((text) => {
    const domain = parseDomain(text);
    if (domain === undefined) {
      throw new Fault('invalid', `"${text.slice(0, 300)}" is no domain.`, { field: 'domains' });
    }
    return domain;
  });
  return [...new Set(domains)].sort();
}

function readDirectory(text: string | null): DirectoryId | null {
  if (text === null) return null;
  const id = parseId<DirectoryId>(text);
  if (id === undefined) throw new Fault('invalid', unknownDirectory(text).message, { field: 'directoryId' });
  return id;
}

export function showConnection(connection: Connection, publicUrl: string): Static<typeof ConnectionAnswer> {
  const { id, protocol, name, enabled, directoryId, jit, revocationIssuer, createdAt } = connection;
  return {
    ...{ id, protocol, name, enabled, directoryId },
    ...(connection.protocol === 'saml' ? showSaml(connection, publicUrl) : showOidc(connection, publicUrl)),
    jit: { ...jit, attributes: { ...jit.attributes } },
    domains: [...connection.domains],
    revocationIssuer,
    revocationUrl: revocationUrlOf(publicUrl, id),
    createdAt: createdAt.toISOString(),
  };
}
