/** Alerts, what somebody does about them, and the guard that lifts policy `block`. */

import Type, { type Static } from 'typebox';
import { acknowledgeAlert } from '../alerts/alert-flow.ts';
import { type StoredAlert, selectAlerts } from '../alerts/alert-store.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { clearBlockGuard } from '../provisioning/block-guard-flow.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterId, lastId, readLimit, toPage } from './paging.ts';
import { Id, listOf, nullable, pageQuery, problems, TenantAndId, TenantPath, Time } from './schemas.ts';

const Kind = Type.Enum([
  ...(['seats_used', 'seats_left', 'full_before_term_end', 'contract_ended', 'evaluation_ends'] as const),
  ...(['cliff', 'block_lifted', 'staged', 'draft_failed', 'decisions_differ'] as const),
  ...(['approvals_wait', 'edit_waits'] as const),
  ...(['domain_missing', 'domain_lapsed'] as const),
  ...(['certificate_ends', 'metadata_failing', 'metadata_changed'] as const),
]);
const Alert = Type.Object({
  id: Id,
  state: Type.Enum(['open', 'acknowledged', 'over'], {
    description: 'over: nothing of what it warns of is the case any more.',
  }),
  message: Type.String({ description: 'All that it tells, for a person.' }),
  raisedAt: Time,
  changedAt: Time,
  acknowledgedAt: nullable(Time),
  overAt: nullable(Time),
  acknowledgedBy: Type.Unknown({ description: 'An operator or a key; null: nobody.' }),
  items: Type.Array(
    Type.Object({
      kind: Kind,
      at: Time,
      message: Type.String(),
      detail: Type.Unknown({ description: 'The figures of the message.' }),
    }),
    { description: 'What came up within five minutes.' },
  ),
});
const Query = pageQuery({
  state: Type.Optional(Type.Enum(['open', 'all'], { description: 'open when left out' })),
});
const tags = ['alerts'];

export function alertRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    '/tenants/:t/alerts',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List alerts, newest first',
        params: TenantPath,
        querystring: Query,
        response: { 200: listOf(Alert), ...problems },
      },
    },
    async (request, reply) => {
      const { state, ...query } = request.query;
      const filter = { isOpen: state !== 'all', before: afterId(query, lastId), limit: readLimit(query) };
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) => selectAlerts(tx, filter));
      return reply.send(toPage(query, rows, ({ id }) => id, show));
    },
  );

  scope.post(
    '/tenants/:t/alerts/:id/acknowledge',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Note that somebody has taken notice of an alert',
        description: 'What it warns of is told again only after it was over.',
        params: TenantAndId,
        response: { 200: Alert, ...problems },
      },
    },
    async (request, reply) => {
      const id = parseId<string>(request.params.id);
      if (id === undefined) throw new Fault('not_found', `There is no alert ${request.params.id}.`);
      return reply.send(show(await acknowledgeAlert(database, adminDoorOf(request, clock.now()), id)));
    },
  );
}

/** The guard raises an alert when it lifts the policy; here somebody lets it stand again. */
export function blockGuardRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.delete(
    '/tenants/:t/seats/block-guard',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags: ['contract'],
        summary: 'Let policy block stand again after the guard has lifted it',
        description: 'Refusals are counted anew.',
        params: TenantPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await clearBlockGuard(database, adminDoorOf(request, clock.now()));
      return reply.code(204).send(null);
    },
  );
}

function show({
  raisedAt,
  changedAt,
  acknowledgedAt,
  overAt,
  items,
  ...rest
}: StoredAlert): Static<typeof Alert> {
  return {
    ...rest,
    items: items.map(({ kind, at, message, detail }) => ({ kind, at, message, detail })),
    state: overAt !== null ? 'over' : acknowledgedAt === null ? 'open' : 'acknowledged',
    overAt: overAt?.toISOString() ?? null,
    message: items.map(({ message }) => message).join(' '),
    raisedAt: raisedAt.toISOString(),
    changedAt: changedAt.toISOString(),
    acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
  };
}
