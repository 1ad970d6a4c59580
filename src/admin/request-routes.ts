/** The calls of identity providers as they arrived and were answered, newest first. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import { faultOf } from '../http/error-fault.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { firstIdAt, parseId } from '../kernel/ids.ts';
import { replay } from '../requests/replay-flow.ts';
import { type RequestQuery, selectRequest, selectRequests } from '../requests/request-store.ts';
import { describeFault } from '../scim/scim-message-hook.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { readInstant } from './instant.ts';
import { afterId, firstId, lastId, readLimit, toPage } from './paging.ts';
import { Id, listOf, nullable, pageQuery, problems, TenantAndId, TenantPath, Time } from './schemas.ts';

const fields = {
  id: Id,
  at: Time,
  directoryId: Id,
  tokenId: Id,
  requestId: Type.String({ description: 'Answered as `x-request-id`.' }),
  method: Type.String(),
  path: Type.String(),
  query: Type.String({ description: 'Without the question mark.' }),
  userAgent: nullable(Type.String()),
  status: Type.Integer(),
  durationMs: Type.Number(),
  subject: nullable(Type.String({ description: 'Id of the user or group.' })),
  truncated: Type.Boolean({ description: 'A body was longer than is kept.' }),
};
const Body = Type.Unknown({ description: 'JSON; as text where it is not whole, or is none. null: none.' });
const Item = Type.Object(fields);
const Whole = Type.Object({ ...fields, requestBody: Body, responseBody: Body });
const Query = pageQuery({
  directory: Type.Optional(Type.String({ maxLength: 200, description: 'Id of the directory that called.' })),
  subject: Type.Optional(Type.String({ maxLength: 200, description: 'Id of the user or group.' })),
  method: Type.Optional(Type.String({ maxLength: 20 })),
  status: Type.Optional(
    Type.String({ pattern: '^[1-5](?:[0-9]{2}|[xX]{2})$', description: 'A status, or a class as `4xx`.' }),
  ),
  from: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601: from this instant on.' })),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601: before this instant.' })),
  requestId: Type.Optional(Type.String({ maxLength: 200 })),
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'What path or query holds, whatever its case, as it is or encoded.',
    }),
  ),
});
const Replay = Type.Object({
  recordedStatus: Type.Integer({ description: 'What was answered then.' }),
  status: Type.Integer(),
  body: Type.Unknown({ description: 'The answer, groups without their members. null: none.' }),
  changes: Type.Array(
    Type.Object({
      action: Type.String(),
      subject: nullable(Type.String()),
      before: Type.Unknown(),
      after: Type.Unknown(),
    }),
    { description: 'What the audit trail would say.' },
  ),
});
const tags = ['requests'];

export function requestRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    '/tenants/:t/requests',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the calls of identity providers, newest first',
        params: TenantPath,
        querystring: Query,
        response: { 200: listOf(Item), ...problems },
      },
    },
    async (request, reply) => {
      const query = readQuery(request.query);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) => selectRequests(tx, query));
      return reply.send(toPage(request.query, rows, ({ id }) => id, show));
    },
  );

  scope.get(
    '/tenants/:t/requests/:id',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a call with its bodies, without passwords and other secrets',
        params: TenantAndId,
        response: { 200: Whole, ...problems },
      },
    },
    async (request, reply) => {
      const id = parseId<string>(request.params.id);
      const row =
        id === undefined
          ? undefined
          : await inTenant(database, adminTenantOf(request).id, (tx) => selectRequest(tx, id));
      if (row === undefined) throw new Fault('not_found', `There is no recorded call ${request.params.id}.`);
      const bodies = { requestBody: showBody(row.request_body), responseBody: showBody(row.response_body) };
      return reply.send({ ...show(row), ...bodies });
    },
  );
}

export function replayRoutes(scope: AdminScope, { database, clock, publicUrl }: Services): void {
  scope.post(
    '/tenants/:t/requests/:id/replay',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Try a call again without doing it: what it would answer and change now',
        params: TenantAndId,
        response: { 201: Replay, ...problems },
      },
    },
    async (request, reply) => {
      const id = parseId<string>(request.params.id) ?? firstId;
      const describe = (error: unknown) => describeFault(faultOf(error), request.id);
      const deps = { database, now: clock.now(), baseUrl: `${publicUrl}/scim/v2`, describe };
      return reply.code(201).send(await replay(deps, adminTenantOf(request).id, id));
    },
  );
}

function readQuery({ directory, subject, from, to, ...query }: Static<typeof Query>): RequestQuery {
  const [start, end] = [readInstant('from', from), readInstant('to', to)];
  return {
    directory: readId(directory),
    subject: readId(subject),
    method: query.method?.toUpperCase(),
    status: readStatus(query.status),
    requestId: query.requestId,
    search: query.search === undefined ? undefined : spellings(query.search),
    from: start === undefined ? firstId : firstIdAt(start.getTime()),
    to: end === undefined ? lastId : firstIdAt(end.getTime()),
    before: afterId(query, lastId),
    limit: readLimit(query),
  };
}

/** What is no id is nobody's. */
function readId(text: string | undefined): string | undefined {
  return text === undefined ? undefined : (parseId<string>(text) ?? firstId);
}

function readStatus(text: string | undefined): RequestQuery['status'] {
  if (text === undefined) return undefined;
  const first = Number(text.replaceAll(/x/gi, '0'));
  return [first, /x/i.test(text) ? first + 99 : first];
}

/** A text as it may stand in a URL. */
function spellings(text: string): string[] {
  const encoded = encodeURIComponent(text);
  return [...new Set([text, encoded, encoded.replaceAll('%20', '+')])];
}

type Row = Awaited<ReturnType<typeof selectRequests>>[number];

function show(row: Row): Static<typeof Item> {
  return {
    id: row.id,
    at: row.at.toISOString(),
    directoryId: row.directory_id,
    tokenId: row.token_id,
    requestId: row.request_id,
    method: row.method,
    path: row.path,
    query: row.query,
    userAgent: row.user_agent,
    status: row.status,
    durationMs: row.duration_ms,
    subject: row.subject,
    truncated: row.truncated,
  };
}

function showBody(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
