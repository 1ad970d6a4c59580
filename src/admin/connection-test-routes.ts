/** Tests of connections: a login that shows what would come of it. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { createTest } from '../sso/test-flow.ts';
import { selectTest } from '../sso/test-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { connectionIdOf } from './connection-path-hook.ts';
import { Id, LoginReason, nullable, problems, TenantAndId, Time } from './schemas.ts';

const tags = ['connections'];
const base = '/tenants/:t/connections/:id/tests';
const texts = Type.Array(Type.String());
const Report = Type.Object({
  at: Time,
  steps: texts,
  reason: LoginReason,
  detail: nullable(Type.String()),
  claims: Type.Object(
    {},
    { additionalProperties: texts, description: 'As the identity provider sent them.' },
  ),
  identity: nullable(
    Type.Object({}, { additionalProperties: Type.String(), description: 'As the connection reads them.' }),
  ),
  user: nullable(
    Type.Object({
      id: Id,
      userName: Type.String(),
      isNew: Type.Boolean({ description: 'It would be made.' }),
    }),
  ),
  roles: texts,
  seat: nullable(Type.String()),
});
const TestPath = Type.Object({ t: Type.String(), id: Id, test: Id });

export function connectionTestRoutes(scope: AdminScope, { database, clock, publicUrl }: Services): void {
  scope.post(
    base,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Test a connection, also one that is switched off',
        description:
          'Open `url` in a browser once, within ten minutes, and sign in. Nobody is signed in, and nothing is changed.',
        params: TenantAndId,
        response: { 201: Type.Object({ id: Id, url: Type.String(), beginUntil: Time }), ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const { id, url, beginUntil } = await createTest(
        database,
        door,
        publicUrl,
        connectionIdOf(request.params.id),
      );
      return reply.code(201).send({ id, url, beginUntil: beginUntil.toISOString() });
    },
  );

  scope.get(
    `${base}/:test`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read what a test came to; it is forgotten after an hour',
        params: TestPath,
        response: {
          200: Type.Object({
            id: Id,
            createdAt: Time,
            beginUntil: Time,
            expiresAt: Time,
            report: nullable(Report),
          }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { id, test } = request.params;
      const testId = parseId<string>(test);
      const connectionId = connectionIdOf(id);
      const found =
        testId &&
        (await inTenant(database, adminTenantOf(request).id, (tx) =>
          selectTest(tx, connectionId, testId, clock.now()),
        ));
      if (!found) throw new Fault('not_found', `There is no test ${test}, or it is forgotten.`);
      const [createdAt, beginUntil, expiresAt] = [found.createdAt, found.beginUntil, found.expiresAt].map(
        (at) => at.toISOString(),
      ) as [string, string, string];
      return reply.send({ id: found.id, createdAt, beginUntil, expiresAt, report: found.report });
    },
  );
}
