/** What an administrator decides for one person by hand: pins, and kept places that are given back. */

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { nameOf } from '../audit/audit-event.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import type { Edit } from '../provisioning/edit.ts';
import { releaseHold, removePin, setPin } from '../provisioning/pin-flow.ts';
import { type StoredPin, selectPin } from '../provisioning/pin-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { PinForm, readPin } from './pin-form.ts';
import { nullable, problems, TenantAndId, Time } from './schemas.ts';
import { userIdOf } from './user-path.ts';

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
      config: { auth: 'tenant-write', edit: pinning },
      schema: {
        tags,
        summary: 'Give a person a role by hand',
        params: TenantAndId,
        body: PinForm,
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
    by: nameOf(actor),
    createdAt: createdAt.toISOString(),
  };
}

const pinning = ({ params, body }: FastifyRequest): Edit => ({
  op: 'pin',
  userId: userIdOf((params as { id: string }).id),
  pin: readPin(body as Static<typeof PinForm>),
});
