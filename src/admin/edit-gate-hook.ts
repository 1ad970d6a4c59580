/** Puts the breaker and the two-person rule before every route that states which edit it makes. */

import type { FastifyRequest } from 'fastify';
import Type, { type Static, type TObject } from 'typebox';
import type { Services } from '../http/services.ts';
import type { Edit } from '../provisioning/edit.ts';
import { gateEdit } from '../provisioning/edit-gate-flow.ts';
import type { Call, EditRequest } from '../provisioning/edit-request-store.ts';
import { adminDoorOf, adminLineageOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import type { ApprovedCalls } from './approved-call.ts';
import { closed, Id, nullable, Time } from './schemas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The edit that the route makes; undefined: this call makes none. */
    edit?: (request: FastifyRequest, now: Date) => Edit | undefined;
  }
}

/** Of every edit that the breaker may stop. */
export const Confirm = Type.Object(
  {
    confirm: Type.Optional(
      Type.Enum(['true', 'false'], {
        description: 'true: also where it takes more seats away than the breaker lets pass.',
      }),
    ),
  },
  closed,
);
const Actor = Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() });
export const EditRequestAnswer = Type.Object(
  {
    id: Id,
    state: Type.Enum(['pending', 'applying', 'approved', 'refused', 'outdated'], {
      description: '`outdated`: what it replaces was changed since, so that it must be asked for again.',
    }),
    because: Type.Array(Type.Enum(['capacity', 'block', 'pin', 'rule', 'breaker']), {
      description: 'Why one person does not suffice.',
    }),
    method: Type.String(),
    path: Type.String({ description: 'Below /api/v1.' }),
    body: Type.Unknown({ description: 'Of a file, lists tell the beginning.' }),
    by: Actor,
    createdAt: Time,
    decidedBy: nullable(Actor),
    decidedAt: nullable(Time),
  },
  { description: 'The two-person rule: it is done when somebody else approves it.' },
);

const prefix = '/api/v1';
export function installEditGate(
  scope: AdminScope,
  { database, clock }: Services,
  approved: ApprovedCalls,
): void {
  scope.addHook('onRoute', (route) => {
    if (route.config?.edit === undefined || route.schema === undefined) return;
    const { response = {}, querystring, ...schema } = route.schema;
    route.schema = {
      ...schema,
      querystring: withConfirm(querystring as TObject | undefined),
      response: { ...(response as object), 202: EditRequestAnswer },
    };
  });
  scope.addHook('preHandler', async (request, reply) => {
    const { edit } = request.routeOptions.config;
    if (edit === undefined) return;
    request.approvedEdit = approved.requestOf(request.headers) ?? null;
    if (request.approvedEdit !== null) return;
    const door = adminDoorOf(request, clock.now());
    const made = edit(request, door.now);
    if (made === undefined) return;
    const { confirm } = request.query as Static<typeof Confirm>;
    const gated = {
      edit: made,
      call: callOf(request),
      isConfirmed: confirm === 'true',
      askedBy: adminLineageOf(request),
    };
    const waiting = await gateEdit(database, door, gated);
    if (waiting !== undefined) return reply.code(202).send(showEditRequest(waiting));
  });
}

function withConfirm(query: TObject | undefined): TObject {
  return Type.Object({ ...query?.properties, ...Confirm.properties }, closed);
}

function callOf({ method, url, body }: FastifyRequest): Call {
  const [path = ''] = url.split('?');
  return { method: method as Call['method'], path: path.slice(prefix.length), body };
}

export function showEditRequest(request: EditRequest): Static<typeof EditRequestAnswer> {
  const { id, state, because, method, path, body, actor, createdAt, decidedBy, decidedAt } = request;
  return {
    id,
    state,
    because,
    method,
    path,
    body: body ?? null,
    by: showActor(actor),
    createdAt: createdAt.toISOString(),
    decidedBy: decidedBy === null ? null : showActor(decidedBy),
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}

function showActor(actor: NonNullable<EditRequest['decidedBy']>): Static<typeof Actor> {
  if (actor.kind === 'system') return { kind: actor.kind, id: actor.rule, name: actor.rule };
  return { kind: actor.kind, id: actor.id, name: actor.name };
}
