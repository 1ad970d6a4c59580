/** Sub-pools: named shares of the seats, how they are used, and what is borrowed and lent among them. */

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Door } from '../audit/door.ts';
import type { Services } from '../http/services.ts';
import type { Edit } from '../provisioning/edit.ts';
import {
  putSubPool,
  removeSubPool,
  type SubPoolsView,
  unknownSubPool,
  viewSubPools,
} from '../provisioning/sub-pool-flow.ts';
import { adminDoorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { nullable, problems, SubPoolName, TenantPath } from './schemas.ts';
import { readSubPool, SubPoolForm, share } from './sub-pool-form.ts';

const use = {
  used: Type.Integer({ description: 'Seats and kept places of its people.' }),
  borrowed: Type.Integer({ description: 'Of these, above its share.' }),
  lent: Type.Integer({ description: 'Seats of its share that it would have to take back from others.' }),
};
const Answer = Type.Object({ name: Type.String(), ...share, ...use });
const overcommitted = Type.Integer({
  description: 'Seats that all shares together promise above the capacity.',
});
const List = Type.Object({
  items: Type.Array(Answer),
  rest: Type.Object(
    { seats: nullable(Type.Integer({ description: 'null: unlimited.' })), ...use },
    {
      description:
        'What no sub-pool has: for mappings without one, pins, and people whom Blue has by itself.',
    },
  ),
  overcommitted,
});
const One = Type.Object({ ...Answer.properties, overcommitted });
/** Also one that was written before blanks were refused. */
const Path = Type.Object({ ...TenantPath.properties, name: Type.String() });
const WritePath = Type.Object({ ...TenantPath.properties, name: SubPoolName });
const tags = ['seats'];
const path = '/tenants/:t/sub-pools';

export function subPoolRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  const read = async (door: Door, name: string) => oneOf(await viewSubPools(database, door), name);

  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the sub-pools and what is left beside them',
        params: TenantPath,
        response: { 200: List, ...problems },
      },
    },
    async (request, reply) => reply.send(await viewSubPools(database, adminDoorOf(request, clock.now()))),
  );

  scope.get(
    `${path}/:name`,
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Read a sub-pool', params: Path, response: { 200: One, ...problems } },
    },
    async (request, reply) => reply.send(await read(adminDoorOf(request, clock.now()), request.params.name)),
  );

  scope.put(
    `${path}/:name`,
    {
      config: { auth: 'tenant-write', edit: writing },
      schema: {
        tags,
        summary: 'Write a sub-pool',
        description: 'Shares may exceed the capacity: the answer says by how much.',
        params: WritePath,
        body: SubPoolForm,
        response: { 200: One, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const { name } = request.params;
      await putSubPool(database, door, readSubPool(name, request.body));
      nudgeSync();
      return reply.send(await read(door, name));
    },
  );

  scope.delete(
    `${path}/:name`,
    {
      config: { auth: 'tenant-write', edit: removal },
      schema: {
        tags,
        summary: 'Delete a sub-pool that no mapping names',
        params: Path,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeSubPool(database, adminDoorOf(request, clock.now()), request.params.name);
      nudgeSync();
      return reply.code(204).send(null);
    },
  );
}

const nameIn = ({ params }: FastifyRequest) => (params as Static<typeof Path>).name;
const writing = (request: FastifyRequest): Edit => ({
  op: 'subPool',
  subPool: readSubPool(nameIn(request), request.body as Static<typeof SubPoolForm>),
});
const removal = (request: FastifyRequest): Edit => ({ op: 'removeSubPool', name: nameIn(request) });

function oneOf({ items, overcommitted: above }: SubPoolsView, name: string): Static<typeof One> {
  const found = items.find((one) => one.name === name);
  if (found === undefined) throw unknownSubPool(name);
  return { ...found, overcommitted: above };
}
