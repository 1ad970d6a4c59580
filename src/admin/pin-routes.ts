/** What an administrator decides for one person by hand: pins, and kept places that are given back. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { entryKeyOf } from '../licensing/catalogue.ts';
import { releaseHold, removePin, setPin } from '../provisioning/pin-flow.ts';
import { type StoredPin, selectPin } from '../provisioning/pin-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { readInstant } from './instant.ts';
import { closed, nullable, problems, TenantAndId, Time } from './schemas.ts';
import { userIdOf } from './user-path.ts';

const Form = Type.Object(
  {
    role: Type.String({ minLength: 1, maxLength: 200, description: 'In place of what mappings say.' }),
    reason: Type.String({ minLength: 1, maxLength: 2000 }),
    workspaces: Type.Optional(
      nullable(
        Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
          minItems: 1,
          maxItems: limits.workspacesPerMappingMax,
          description: 'Left out: wherever the mappings of the person lead, else the default workspaces.',
        }),
      ),
    ),
    until: Type.Optional(
      nullable(Type.String({ maxLength: 40, description: 'ISO 8601: it ends by itself then.' })),
    ),
    reserved: Type.Optional(
      Type.Boolean({ description: 'It takes its seat now, and is refused where none is free.' }),
    ),
  },
  closed,
);
const Answer = Type.Object({
  role: Type.String(),
  reason: Type.String(),
  workspaces: nullable(Type.Array(Type.String())),
  until: nullable(Time),
  reserved: Type.Boolean(),
  by: Type.String({ description: 'Who set it.' }),
  createdAt: Time,
});
const tags = ['users'];
const path = '/tenants/:t/users/:id/pin';

export function pinRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.put(
    path,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Give a person a role by hand',
        params: TenantAndId,
        body: Form,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const pin = await setPin(database, door, userIdOf(request.params.id), readPin(request.body));
      nudgeSync();
      return reply.send(show(pin));
    },
  );

  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read the pin of a person',
        params: TenantAndId,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const id = userIdOf(request.params.id);
      const pin = await inTenant(database, adminTenantOf(request).id, (tx) => selectPin(tx, id));
      if (pin === undefined) throw new Fault('not_found', 'This person has no pin.');
      return reply.send(show(pin));
    },
  );

  for (const [what, summary, work] of [
    ['pin', 'Take the pin away', removePin],
    ['hold', 'Give the kept place back now', releaseHold],
  ] as const) {
    scope.delete(
      `/tenants/:t/users/:id/${what}`,
      {
        config: { auth: 'tenant-write' },
        schema: { tags, summary, params: TenantAndId, response: { 204: Type.Null(), ...problems } },
      },
      async (request, reply) => {
        await work(database, adminDoorOf(request, clock.now()), userIdOf(request.params.id));
        nudgeSync();
        return reply.code(204).send(null);
      },
    );
  }
}

function readPin({ role, reason, workspaces = null, until, reserved = false }: Static<typeof Form>) {
  if (entryKeyOf(role) === undefined) {
    throw new Fault('invalid', `"role" ${role} is no role of Blue.`, { field: 'role' });
  }
  return { role, reason, workspaces, until: readInstant('until', until ?? undefined) ?? null, reserved };
}

function show({
  role,
  reason,
  workspaces,
  until,
  reserved,
  actor,
  createdAt,
}: StoredPin): Static<typeof Answer> {
  return {
    role,
    reason,
    workspaces: workspaces === null ? null : [...workspaces],
    until: until?.toISOString() ?? null,
    reserved,
    by: actor.kind === 'system' ? actor.rule : actor.name,
    createdAt: createdAt.toISOString(),
  };
}
