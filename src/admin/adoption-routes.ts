/** People whom Blue has by itself: who they are, and how they come under the gateway. */

import Type, { type Static } from 'typebox';
import type { Services } from '../http/services.ts';
import { limits } from '../kernel/limits.ts';
import { type Obstacle, obstacles, obstacleText } from '../provisioning/adoption.ts';
import { type Adopted, adopt, listUnmanaged, type Unmanaged } from '../provisioning/adoption-flow.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterKey, readLimit, toPage } from './paging.ts';
import { closed, Id, listOf, nullable, PageQuery, problems, Reason, TenantPath, Time } from './schemas.ts';

const codes = Object.keys(obstacles) as Obstacle[];
const Role = Type.Object({
  workspace: Type.String(),
  role: nullable(Type.String({ description: 'null: one that the gateway has no name for.' })),
});
const UnmanagedPerson = Type.Object({
  blueUserId: Type.String(),
  email: nullable(Type.String({ description: 'null: Blue hides it.' })),
  memberships: Type.Array(Role),
  role: nullable(
    Type.String({ description: 'The highest paid one; null: none that the gateway could give.' }),
  ),
  lastActiveAt: nullable(Time),
  user: nullable(
    Type.Object(
      { id: Id, userName: Type.String() },
      { description: 'The directory’s person with that address.' },
    ),
  ),
  adoptable: Type.Boolean(),
  why: Type.Optional(Type.Enum(codes, { description: 'Why they can’t be adopted.' })),
  detail: Type.Optional(Type.String({ description: 'The same, for a person.' })),
});
const Adoptions = Type.Object(
  {
    blueUserIds: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 1,
      maxItems: limits.blueAdoptionsPerCallMax,
    }),
    reason: Reason,
  },
  closed,
);
const AdoptionAnswer = Type.Object({
  blueUserId: Type.String(),
  result: Type.Enum(['adopted', 'unchanged', 'refused'], {
    description:
      'unchanged: somebody of the gateway’s own has the seat already; refused: nothing was written.',
  }),
  user: nullable(Id),
  seat: nullable(Type.Enum(['held', 'overage'])),
  role: nullable(Type.String({ description: 'The pin’s.' })),
  leftAlone: Type.Array(Role, {
    description: 'What they have in Blue besides, in workspaces that the gateway does not manage: it stays.',
  }),
  code: Type.Optional(Type.Enum(codes)),
  detail: Type.Optional(Type.String()),
});
const tags = ['blue'];

export function adoptionRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.get(
    '/tenants/:t/blue/unmanaged',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List people with a paid role in Blue that the gateway did not give',
        description: 'As Blue’s lists were last read: those whom `unmanagedPaid` of the seats counts.',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(UnmanagedPerson), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const page = { after: afterKey(query, ''), most: readLimit(query) };
      const people = await listUnmanaged(database, adminTenantOf(request).id, page, clock.now());
      return reply.send(toPage(query, people, ({ member }) => member.blueUserId, show));
    },
  );

  scope.post(
    '/tenants/:t/blue/adoptions',
    {
      config: {
        auth: 'tenant-write',
        edit: ({ body }) => ({
          op: 'adopt',
          blueUserIds: (body as Static<typeof Adoptions>).blueUserIds,
        }),
      },
      schema: {
        tags,
        summary: 'Adopt people with a paid role in Blue that the gateway did not give',
        description:
          'Each comes to be a person of the directory with a pin of what they have in Blue, where nothing changes; the seat is theirs from then on. One by one: whoever is refused keeps nobody else back.',
        params: TenantPath,
        body: Adoptions,
        response: { 200: Type.Object({ items: Type.Array(AdoptionAnswer) }), ...problems },
      },
    },
    async (request, reply) => {
      const { blueUserIds, reason } = request.body;
      const adopted = await adopt(database, adminDoorOf(request, clock.now()), blueUserIds, reason);
      nudgeSync();
      return reply.send({ items: adopted.map(showAdopted) });
    },
  );
}

function show({ member, ...adoption }: Unmanaged): Static<typeof UnmanagedPerson> {
  const { blueUserId, address, lastActiveAt, user } = member;
  const { memberships, role, why } = adoption;
  return {
    ...{ blueUserId, email: address, role },
    memberships: [...memberships],
    lastActiveAt: lastActiveAt?.toISOString() ?? null,
    user: user === null ? null : { id: user.id, userName: user.userName },
    adoptable: why === null,
    ...(why === null ? {} : { why, detail: obstacleText(why, adoption) }),
  };
}

function showAdopted(one: Adopted): Static<typeof AdoptionAnswer> {
  const { blueUserId, result, userId, seat, why, adoption } = one;
  const isAdopted = result === 'adopted';
  return {
    ...{ blueUserId, result, user: userId, seat },
    role: isAdopted ? (adoption?.role ?? null) : null,
    leftAlone: isAdopted ? [...(adoption?.leftAlone ?? [])] : [],
    ...(why === null ? {} : { code: why, detail: obstacleText(why, adoption ?? { endangered: [] }) }),
  };
}
