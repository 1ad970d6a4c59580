/** Who is told when people's sessions end (Shared Signals Framework). */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { parseId, type TenantId } from '../kernel/ids.ts';
import { createReceiver, removeReceiver, unknownReceiver } from '../signals/receiver-flow.ts';
import { type ReceiverRow, selectReceivers } from '../signals/stream-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import {
  closed,
  Id,
  listOf,
  Name,
  nullable,
  PageQuery,
  problems,
  TenantAndId,
  TenantPath,
  Time,
} from './schemas.ts';

const tags = ['signals'];
const base = '/tenants/:t/signal-receivers';
const ReceiverBody = Type.Object(
  {
    name: Name,
    audience: Type.String({ minLength: 1, maxLength: 500, description: 'The `aud` of what it is told.' }),
  },
  closed,
);
const receiver = {
  id: Id,
  name: Type.String(),
  audience: Type.String(),
  createdAt: Time,
  stream: nullable(
    Type.Object({
      id: Id,
      status: Type.Enum(['enabled', 'paused', 'disabled']),
      endpointUrl: nullable(Type.String({ description: 'null: the receiver polls.' })),
      waiting: Type.Integer({ description: 'Signals that the receiver has not taken yet.' }),
    }),
  ),
};
const Receiver = Type.Object(receiver);

export function signalReceiverRoutes(scope: AdminScope, { database, clock }: Services): void {
  const readOne = async (tenantId: TenantId, id: string) => {
    const [row] = await inTenant(database, tenantId, (tx) =>
      selectReceivers(tx, { id, after: '', limit: 1 }),
    );
    if (row === undefined) throw unknownReceiver(id);
    return show(row);
  };
  const write = { auth: 'tenant-write' } as const;
  const read = { auth: 'tenant-read' } as const;
  scope.post(
    base,
    {
      config: write,
      schema: {
        tags,
        summary: 'Admit a receiver of signals',
        description:
          'With its token it makes its stream at the transmitter (`/.well-known/ssf-configuration`).',
        params: TenantPath,
        body: ReceiverBody,
        response: {
          201: Type.Object({ ...receiver, token: Type.String({ description: 'Shown this once.' }) }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { id, token } = await createReceiver(database, adminDoorOf(request, clock.now()), request.body);
      return reply.code(201).send({ ...(await readOne(adminTenantOf(request).id, id)), token });
    },
  );
  scope.get(
    base,
    {
      config: read,
      schema: {
        tags,
        summary: 'List the receivers of signals',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Receiver), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const page = { after: afterId(query), limit: readLimit(query) };
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) => selectReceivers(tx, page));
      return reply.send(toPage(query, rows, ({ id }) => id, show));
    },
  );
  scope.get(
    `${base}/:id`,
    {
      config: read,
      schema: {
        tags,
        summary: 'Read a receiver of signals',
        params: TenantAndId,
        response: { 200: Receiver, ...problems },
      },
    },
    async (request, reply) => reply.send(await readOne(adminTenantOf(request).id, idOf(request.params.id))),
  );
  scope.delete(
    `${base}/:id`,
    {
      config: write,
      schema: {
        tags,
        summary: 'Dismiss a receiver, with its stream and what waits there',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeReceiver(database, adminDoorOf(request, clock.now()), idOf(request.params.id));
      return reply.code(204).send(null);
    },
  );
}

function idOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw unknownReceiver(text);
  return id;
}

function show({ id, name, audience, createdAt, ...of }: ReceiverRow) {
  const { streamId, status, endpointUrl, waiting } = of;
  return {
    ...{ id, name, audience, createdAt: createdAt.toISOString() },
    stream: streamId === null || status === null ? null : { id: streamId, status, endpointUrl, waiting },
  };
}
