/** Whether the audit trail is still as it was written. */

import Type, { type Static } from 'typebox';
import { breakCauses, type Checkpoint } from '../audit/audit-seal.ts';
import { type Place, type Verification, verifyTrail } from '../audit/verify-flow.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterKey, cursorOf, foreignCursor } from './paging.ts';
import { closed, Id, nullable, problems, TenantPath } from './schemas.ts';

const SealNumber = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 in hex.' });
const Count = Type.Integer({ minimum: 0 });
const FirstBroken = Type.Object({
  why: Type.Enum([...breakCauses], {
    description:
      'content: entries were changed, added or taken away; mac: the seal was not made with this SECRETS_KEY; missing: the seal is gone; kept: it is not the one that was kept, or is gone; roles: the roles that entries name by the set were changed.',
  }),
  seal: nullable(Type.Integer({ description: 'Its number.' })),
  from: nullable(Type.String({ format: 'date-time', description: 'The newest entry before it.' })),
  to: nullable(Type.String({ format: 'date-time', description: 'The newest entry up to it.' })),
  entries: nullable(Type.Integer({ description: 'How many were sealed.' })),
  found: nullable(Type.Integer({ description: 'How many are there now, at least.' })),
  roleSet: Type.Optional(Id),
});
const Answer = Type.Object({
  ok: Type.Boolean({ description: 'All that was looked at holds; with a `nextCursor` there is more.' }),
  entries: Type.Integer({ description: 'Verified, from the first one on.' }),
  sealedTo: nullable(Type.String({ format: 'date-time', description: 'The newest entry of those.' })),
  seal: nullable(
    Type.Object(
      { number: Count, hash: Hash },
      { description: 'The last one that was verified: keep it outside.' },
    ),
  ),
  unsealed: Type.Integer({ description: 'Entries without a seal yet, counted up to 100,000 rows.' }),
  firstBroken: Type.Optional(FirstBroken),
  nextCursor: nullable(Type.String()),
});
const Query = Type.Object(
  {
    cursor: Type.Optional(Type.String({ maxLength: 400, description: 'The last answer’s `nextCursor`.' })),
    seal: Type.Optional(SealNumber),
    hash: Type.Optional(Hash),
  },
  closed,
);

export function auditVerifyRoutes(scope: AdminScope, { database, auditSigner }: Services): void {
  scope.get(
    '/tenants/:t/audit/verify',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags: ['audit'],
        summary: 'Verify that the audit trail is as it was written',
        description:
          'Goes through the seals for ten seconds; `cursor` goes on. `seal` and `hash` are what was kept of an earlier answer: they show whether history was written anew since.',
        params: TenantPath,
        querystring: Query,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const until = performance.now() + limits.auditVerifyMsMax;
      const verification = await verifyTrail(database, auditSigner, {
        tenantId: adminTenantOf(request).id,
        from: placeOf(request.query),
        kept: checkpointOf(request.query),
        isOver: () => performance.now() > until,
      });
      return reply.send(show(verification));
    },
  );
}

function placeOf(query: Static<typeof Query>): Place {
  const [, number, entries] = /^(\d{1,15}) (\d{1,15})$/.exec(afterKey(query, '0 0')) ?? [];
  if (number === undefined || entries === undefined) throw foreignCursor();
  return { number: Number(number), entries: Number(entries) };
}

function checkpointOf({ seal, hash }: Static<typeof Query>): Checkpoint | undefined {
  if (seal !== undefined && hash !== undefined) return { number: seal, hash };
  if (seal === undefined && hash === undefined) return undefined;
  const field = seal === undefined ? 'seal' : 'hash';
  throw new Fault('invalid', `"${field}" is missing: "seal" and "hash" of what was kept go together.`, {
    field,
  });
}

function show({ broken, place, seal, isEnd, unsealed }: Verification): Static<typeof Answer> {
  const ok = broken === undefined;
  return {
    ...{ ok, entries: place.entries, unsealed },
    sealedTo: seal?.newestAt.toISOString() ?? null,
    seal: seal === undefined ? null : { number: seal.number, hash: seal.hash },
    ...(ok
      ? {}
      : {
          firstBroken: {
            ...broken,
            from: broken.from?.toISOString() ?? null,
            to: broken.to?.toISOString() ?? null,
          },
        }),
    nextCursor: ok && !isEnd ? cursorOf(`${place.number} ${place.entries}`) : null,
  };
}
