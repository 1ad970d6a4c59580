/** The trace of logins: what became of each answer of an identity provider, and why. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, parseId } from '../kernel/ids.ts';
import { selectTrace, selectTraces } from '../sso/login-store.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterId, lastId, readLimit, toPage } from './paging.ts';
import {
  Id,
  LoginReason,
  listOf,
  nullable,
  pageQuery,
  problems,
  TenantAndId,
  TenantPath,
  Time,
} from './schemas.ts';

const Login = Type.Object({
  id: Type.String({ description: 'The reference that the person was shown.' }),
  connection: Id,
  at: Time,
  outcome: Type.Enum(['signed_in', 'refused']),
  steps: Type.Array(Type.String(), { description: 'What was passed, in order.' }),
  reason: LoginReason,
  detail: nullable(Type.String()),
  user: nullable(Id),
  subject: nullable(Type.String()),
  attributes: Type.Array(Type.String(), { description: 'Names of the attributes that came.' }),
  responseHash: Type.String({ description: 'SHA-256 of SAMLResponse as it was posted.' }),
});
type Row = NonNullable<Awaited<ReturnType<typeof selectTrace>>>;
const tags = ['logins'];

export function loginRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    '/tenants/:t/logins',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List logins, the newest first',
        params: TenantPath,
        querystring: pageQuery({ connection: Type.Optional(Type.String({ maxLength: 100 })) }),
        response: { 200: listOf(Login), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const connectionId = readFilter(query.connection);
      const page = { connectionId, before: afterId(query, lastId), limit: readLimit(query) };
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) => selectTraces(tx, page));
      return reply.send(toPage(query, rows, ({ id }) => id, show));
    },
  );

  scope.get(
    '/tenants/:t/logins/:id',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a login by its reference',
        params: TenantAndId,
        response: { 200: Login, ...problems },
      },
    },
    async (request, reply) => {
      const { id: text } = request.params;
      const id = parseId<string>(text);
      const row = id && (await inTenant(database, adminTenantOf(request).id, (tx) => selectTrace(tx, id)));
      if (!row) throw new Fault('not_found', `There is no login ${text}.`);
      return reply.send(show(row));
    },
  );
}

function readFilter(text: string | undefined): ConnectionId | undefined {
  if (text === undefined) return undefined;
  const id = parseId<ConnectionId>(text);
  if (id === undefined) throw new Fault('invalid', `"${text}" is no id.`, { field: 'connection' });
  return id;
}

function show(row: Row): Static<typeof Login> {
  return {
    id: row.id,
    connection: row.connection_id,
    at: row.at.toISOString(),
    outcome: row.reason === null ? 'signed_in' : 'refused',
    steps: row.steps,
    reason: row.reason,
    detail: row.detail,
    user: row.user_id,
    subject: row.subject,
    attributes: row.attributes,
    responseHash: row.response_hash,
  };
}
