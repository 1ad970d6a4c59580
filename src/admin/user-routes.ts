/** People: what their groups ask for, what they have, whether Blue has it too, and why. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import type { Services } from '../http/services.ts';
import { termsAt } from '../licensing/contract.ts';
import { explain } from '../licensing/explain.ts';
import { unknownUser } from '../provisioning/user-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserView, selectUserViews } from '../provisioning/user-view-store.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { selectContractInForce } from './contract-store.ts';
import { selectExplainFacts } from './explain-store.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { Id, listOf, nullable, pageQuery, problems, TenantAndId, TenantPath, Time } from './schemas.ts';
import { userIdOf } from './user-path.ts';
import { userCondition } from './user-query-sql.ts';

const SeatState = Type.Enum(['none', 'held', 'overage', 'hold', 'queued', 'blocked']);
const User = Type.Object({
  id: Type.String({ description: 'The SCIM id.' }),
  userName: Type.String(),
  displayName: nullable(Type.String()),
  email: nullable(Type.String({ description: 'The address in Blue.' })),
  active: Type.Boolean(),
  sources: Type.Array(Type.String(), { description: 'Directories that know the person.' }),
  requestedRoles: Type.Array(
    Type.Object({ role: Type.String(), workspace: Type.String(), via: Type.String() }),
  ),
  effectiveRoles: Type.Array(
    Type.Object({
      role: Type.String(),
      billing: Type.Enum(['paid', 'free']),
      workspace: Type.String(),
      via: Type.String(),
    }),
  ),
  seat: Type.Object({
    state: SeatState,
    position: nullable(Type.Integer()),
    since: nullable(Time),
    reason: nullable(Type.String()),
  }),
  blue: Type.Object({
    state: Type.Enum(['none', 'waiting', 'invited', 'active', 'refused', 'removed']),
    code: Type.Optional(Type.String()),
    detail: Type.Optional(Type.String()),
  }),
});
const Rule = {
  mapping: Id,
  group: Type.String(),
  role: Type.String(),
  workspace: Type.String(),
  priority: Type.Integer(),
};
const Explanation = Type.Object({
  reasons: Type.Array(Type.String(), { description: 'Codes, the deciding one first.' }),
  winner: nullable(Type.Object(Rule)),
  losers: Type.Array(Type.Object({ ...Rule, because: Type.String() })),
  pin: nullable(
    Type.Object({
      role: Type.String(),
      workspaces: nullable(Type.Array(Type.String())),
      reason: Type.String(),
      until: nullable(Time),
      reserved: Type.Boolean(),
      by: Type.String({ description: 'Who set it.' }),
    }),
  ),
  queue: Type.Object({
    position: nullable(Type.Integer()),
    ahead: Type.Array(Type.Object({ id: Id, userName: Type.String() })),
  }),
  counterfactuals: Type.Array(
    Type.Object({
      change: Type.String(),
      roles: Type.Array(Type.Object({ role: Type.String(), workspace: Type.String() })),
      needsSeat: Type.Boolean(),
    }),
    { description: 'What the person would ask for, if one thing were different.' },
  ),
  smallestChange: nullable(Type.String()),
  sentence: Type.String(),
});
const Query = pageQuery({
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'What userName or the address begins with, whatever its case.',
    }),
  ),
  role: Type.Optional(Type.String({ maxLength: 200, description: 'A role the person has.' })),
  seat: Type.Optional(SeatState),
});
const tags = ['users'];

export function userRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    '/tenants/:t/users',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List people',
        params: TenantPath,
        querystring: Query,
        response: { 200: listOf(User), ...problems },
      },
    },
    async (request, reply) => {
      const { search, role, seat, ...query } = request.query;
      const after = afterId(query);
      const now = clock.now();
      const { views } = await inTenant(database, adminTenantOf(request).id, async (tx) => {
        // Only a seat's name depends on the contract.
        const policy = termsAt(seat === undefined ? undefined : await selectContractInForce(tx), now).policy;
        const where = userCondition({ after, search, role, seat }, policy);
        const page = { offset: 0, limit: readLimit(query), withTotal: false };
        return selectUserViews(tx, { where, directoryId: null, withGroups: false, ...page }, now);
      });
      return reply.send(toPage(query, views, ({ user }) => user.id, show));
    },
  );

  scope.get(
    '/tenants/:t/users/:id',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Read a person', params: TenantAndId, response: { 200: User, ...problems } },
    },
    async (request, reply) => {
      const id = userIdOf(request.params.id);
      const view = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectUserView(tx, id, clock.now(), { directoryId: null, withGroups: false }),
      );
      if (view === undefined) throw unknownUser(id);
      return reply.send(show(view));
    },
  );

  scope.get(
    '/tenants/:t/users/:id/explain',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Say why a person has these roles and this seat',
        params: TenantAndId,
        response: { 200: Explanation, ...problems },
      },
    },
    async (request, reply) => {
      const id = userIdOf(request.params.id);
      const facts = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectExplainFacts(tx, id, clock.now()),
      );
      if (facts === undefined) throw unknownUser(id);
      return reply.send(explain(facts));
    },
  );
}

function show({ user, address, sources, decision, seat, blue }: UserView): Static<typeof User> {
  const { userName, displayName, active } = columnsOf(user.attributes);
  return {
    id: user.id,
    userName,
    displayName,
    email: address,
    active,
    sources,
    requestedRoles: (decision?.requested ?? []).map(({ role, workspace, via }) => ({ role, workspace, via })),
    effectiveRoles: decision?.effective ?? [],
    seat: { ...seat, since: seat.since?.toISOString() ?? null },
    blue: {
      state: blue.state,
      ...(blue.code === null ? {} : { code: blue.code }),
      ...(blue.detail === null ? {} : { detail: blue.detail }),
    },
  };
}
