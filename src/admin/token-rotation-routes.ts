/** Rotation of a directory's token: a new one, and a while in which both work. */

import Type from 'typebox';
import type { Services } from '../http/services.ts';
import { parseId } from '../kernel/ids.ts';
import { rotateToken } from '../tenants/token-rotation-flow.ts';
import { adminDoorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { directoryIdOf, nobody } from './directory-path.ts';
import { closed, Id, problems } from './schemas.ts';

/** Minutes: a day, and a month at most. */
const [overlapDefault, overlapMax] = [1440, 43_200];

export function tokenRotationRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants/:t/directories/:id/tokens/:tokenId/rotate',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags: ['directories'],
        summary: 'Put a new token in the place of one',
        description:
          'It has the same name and scope, and lives as long as the old one was made for. The old one works until the ' +
          'overlap is over, or until it would have expired.',
        params: Type.Object({ t: Type.String(), id: Id, tokenId: Id }),
        body: Type.Optional(
          Type.Object(
            {
              overlapMinutes: Type.Optional(
                Type.Integer({ minimum: 0, maximum: overlapMax, default: overlapDefault }),
              ),
            },
            closed,
          ),
        ),
        response: {
          201: Type.Object({ id: Id, token: Type.String({ description: 'Shown this once.' }) }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const directoryId = directoryIdOf(request.params.id);
      const tokenId = parseId<string>(request.params.tokenId) ?? nobody;
      const overlap = request.body?.overlapMinutes ?? overlapDefault;
      const door = adminDoorOf(request, clock.now());
      return reply.code(201).send(await rotateToken(database, door, directoryId, tokenId, overlap));
    },
  );
}
