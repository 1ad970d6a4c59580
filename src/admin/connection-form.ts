/** What an admin writes of a connection, and reads of it: what is the same for every protocol, and whose fields the others are. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, parseId } from '../kernel/ids.ts';
import { entryKeyOf } from '../licensing/catalogue.ts';
import {
  type Connection,
  type ConnectionDraft,
  type JustInTime,
  revocationUrlOf,
} from '../sso/connection.ts';
import { unknownDirectory } from './directory-path.ts';
import { readSaml, samlAnswer, samlFields, showSaml } from './saml-connection-form.ts';
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
export const ConnectionBody = Type.Object(
  { protocol: Type.Literal('saml'), ...common, ...samlFields },
  closed,
);
export const ConnectionChange = Type.Partial(ConnectionBody, {
  ...closed,
  description: 'What is left out stays as it is.',
});

export const ConnectionAnswer = Type.Object({
  id: Id,
  protocol: Type.Literal('saml'),
  name: Type.String(),
  enabled: Type.Boolean(),
  ...samlAnswer,
  directoryId: nullable(Id),
  jit: Type.Object({
    enabled: Type.Boolean(),
    create: Type.Boolean(),
    approval: Type.Boolean(),
    attributes: Type.Object({}, { additionalProperties: Type.String() }),
    groupsClaim: nullable(Type.String()),
    defaultRole: nullable(Type.String()),
  }),
  revocationIssuer: nullable(Type.String()),
  revocationUrl: Type.String(),
  createdAt: Time,
});

const usualJit = {
  ...{ enabled: true, create: false, approval: false, attributes: {} },
  ...{ groupsClaim: null, defaultRole: null },
};

/** @param before What stays of it is left out; undefined: the connection is made. @throws Fault `invalid` */
export function readConnection(body: Static<typeof ConnectionChange>, before?: Connection): ConnectionDraft {
  return {
    ...readCommon(body, before),
    protocol: 'saml',
    settings: readSaml(body, before?.settings),
  };
}

function readCommon(body: Static<typeof ConnectionChange>, before?: Connection) {
  const { name = before?.name ?? '', enabled = before?.enabled ?? true } = body;
  const jit: JustInTime = { ...(before?.jit ?? usualJit), ...body.jit };
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
  const { revocationIssuer = before?.revocationIssuer ?? null } = body;
  return { name, enabled, directoryId, jit, revocationIssuer };
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
    ...showSaml(connection, publicUrl),
    jit: { ...jit, attributes: { ...jit.attributes } },
    revocationIssuer,
    revocationUrl: revocationUrlOf(publicUrl, id),
    createdAt: createdAt.toISOString(),
  };
}
