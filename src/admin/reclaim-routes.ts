/** Seats that lie idle: who was asked, whose seat was taken, and what an administrator says of it. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { rankKeptUntil, reclaimStates, undoUntil } from '../licensing/reclaim.ts';
import { keepSeat, undoReclaim } from '../provisioning/reclaim-flow.ts';
import { type ReclaimView, selectReclaim, selectReclaims } from '../provisioning/reclaim-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { Id, listOf, nullable, pageQuery, problems, TenantAndId, TenantPath, Time } from './schemas.ts';
import { userIdOf } from './user-path.ts';

const State = Type.Enum([...reclaimStates], {
  description:
    'noticed: the seat is taken when nothing happens; taken: it was; kept: somebody said so; undone: somebody took the taking back; returned: the person was seen after it; withdrawn: there was no reason any more.',
});
const Reclaim = Type.Object({
  userId: Id,
  userName: Type.String(),
  state: State,
  since: Type.String({ format: 'date-time', description: 'Since when it is in this state.' }),
  lastSeenAt: nullable(
    Type.String({
      format: 'date-time',
      description: 'The latest of signing on here and being active in Blue; null: not known.',
    }),
  ),
  noticedAt: nullable(Time),
  reminders: Type.Integer({ description: 'How many were given.' }),
  nextStepAt: nullable(
    Type.String({ format: 'date-time', description: 'noticed: a reminder, or the taking.' }),
  ),
  takenAt: nullable(Time),
  undoUntil: nullable(
    Type.String({ format: 'date-time', description: 'taken: until when it can be undone.' }),
  ),
  rankKeptUntil: nullable(
    Type.String({
      format: 'date-time',
      description: 'taken: until when whoever comes back has the rank of the old claim.',
    }),
  ),
});
const Query = pageQuery({ state: Type.Optional(State) });
const tags = ['users'];
const path = '/tenants/:t/users/:id/reclaim';

export function reclaimRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.get(
    '/tenants/:t/reclaims',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List people whose seats lay idle',
        params: TenantPath,
        querystring: Query,
        response: { 200: listOf(Reclaim), ...problems },
      },
    },
    async (request, reply) => {
      const { state, ...query } = request.query;
      const selection = { after: afterId(query), state, most: readLimit(query) };
      const { id: tenantId } = adminTenantOf(request);
      const views = await inTenant(database, tenantId, (tx) => selectReclaims(tx, selection));
      return reply.send(toPage(query, views, ({ id }) => id, show));
    },
  );

  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read whether the seat of a person lay idle',
        params: TenantAndId,
        response: { 200: Reclaim, ...problems },
      },
    },
    async (request, reply) => {
      const id = userIdOf(request.params.id);
      const view = await inTenant(database, adminTenantOf(request).id, (tx) => selectReclaim(tx, id));
      if (view === undefined) throw new Fault('not_found', 'Nobody was asked about a seat of this person.');
      return reply.send(show(view));
    },
  );

  for (const [what, summary, description, work] of [
    [
      'keep',
      'Say that a person keeps the seat',
      'Idleness is counted from now on. If the seat was taken, the person claims one again.',
      keepSeat,
    ],
    [
      'undo',
      'Take the taking of a seat back',
      'For fourteen days: the person has it again if one is free, else waits with the rank of the old claim.',
      undoReclaim,
    ],
  ] as const) {
    scope.post(
      `${path}/${what}`,
      {
        config: { auth: 'tenant-write' },
        schema: {
          ...{ tags, summary, description, params: TenantAndId },
          response: { 200: Reclaim, ...problems },
        },
      },
      async (request, reply) => {
        const view = await work(database, adminDoorOf(request, clock.now()), userIdOf(request.params.id));
        nudgeSync();
        return reply.send(show(view));
      },
    );
  }
}

function show(view: ReclaimView): Static<typeof Reclaim> {
  const { id, userName, state, reminders, takenAt } = view;
  const taken = state === 'taken' ? takenAt : null;
  return {
    ...{ userId: id, userName, state, reminders },
    since: view.changedAt.toISOString(),
    lastSeenAt: timeOf(view.lastSeenAt),
    noticedAt: timeOf(view.noticedAt),
    nextStepAt: timeOf(view.dueAt),
    takenAt: timeOf(takenAt),
    undoUntil: timeOf(taken && undoUntil(taken)),
    rankKeptUntil: timeOf(taken && rankKeptUntil(taken)),
  };
}

function timeOf(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
