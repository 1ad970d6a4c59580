/** Edits that wait for a second person: who asked for what and why, and the word of somebody else. */

import type { FastifyRequest } from 'fastify';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { approveRequest, readRequest, refuseRequest } from '../provisioning/edit-gate-flow.ts';
import { type EditRequest, selectEditRequests } from '../provisioning/edit-request-store.ts';
import { adminDoorOf, adminLineageOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import type { ApprovedCalls } from './approved-call.ts';
import { EditRequestAnswer, showEditRequest } from './edit-gate-hook.ts';
import { afterId, lastId, readLimit, toPage } from './paging.ts';
import { listOf, PageQuery, problems, TenantAndId, TenantPath } from './schemas.ts';

const tags = ['edit requests'];
const path = '/tenants/:t/edit-requests';

export function editRequestRoutes(
  scope: AdminScope,
  { database, clock }: Services,
  approved: ApprovedCalls,
): void {
  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List edits that wait, or waited, for a second person',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(EditRequestAnswer), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectEditRequests(tx, afterId(query, lastId), readLimit(query)),
      );
      return reply.send(toPage(query, rows, ({ id }) => id, showEditRequest));
    },
  );

  scope.get(
    `${path}/:id`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read an edit request',
        params: TenantAndId,
        response: { 200: EditRequestAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      return reply.send(showEditRequest(await readRequest(database, door, requestIdOf(request.params.id))));
    },
  );

  scope.post(
    `${path}/:id/approve`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Approve an edit of somebody else: it is made now',
        description:
          'Answers what the edit answers. What is refused now waits on; where what it replaces was changed since, it is over (409 `conflict`).',
        params: TenantAndId,
        response: { 200: EditRequestAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = requestIdOf(request.params.id);
      const made = await approveRequest(
        database,
        { ...door, lineage: adminLineageOf(request) },
        id,
        (asked) => {
          const approval = { requestId: asked.id, begunAt: door.now };
          return approved.make({ approval, actor: asked.actor }, (headers) =>
            make(scope, request, asked, headers),
          );
        },
      );
      if (made.statusCode >= 300) {
        return reply
          .code(made.statusCode)
          .headers({ 'content-type': made.headers['content-type'] })
          .send(JSON.parse(made.body));
      }
      return reply.send(showEditRequest(await readRequest(database, door, id)));
    },
  );

  scope.post(
    `${path}/:id/refuse`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Refuse an edit that waits, or take back one’s own',
        params: TenantAndId,
        response: { 200: EditRequestAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      return reply.send(showEditRequest(await refuseRequest(database, door, requestIdOf(request.params.id))));
    },
  );
}

/** The call again, with the key of whoever approves it: what that key may not do is refused. */
async function make(
  scope: AdminScope,
  request: FastifyRequest,
  asked: EditRequest,
  headers: Record<string, string>,
) {
  const { method, path: below, body } = asked;
  const answer = await scope.inject({
    method,
    url: `/api/v1${below}`,
    headers: {
      authorization: request.headers.authorization ?? '',
      // What is no JSON is a file.
      ...(typeof body === 'string' ? { 'content-type': 'text/csv' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: body as object | string }),
  });
  return { isMade: answer.statusCode < 300, answer };
}

function requestIdOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw new Fault('not_found', `There is no edit request ${text}.`);
  return id;
}
