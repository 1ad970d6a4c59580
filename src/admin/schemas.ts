/** Schemas that several routes of the admin API share: they check what comes in and document what goes out. */

import Type, { type TSchema } from 'typebox';
import { limits } from '../kernel/limits.ts';
import { type RefusalReason, refusalReasons } from '../sso/core/refusal.ts';

export const closed = { additionalProperties: false } as const;

export const Id = Type.String({ description: 'A UUID.' });
export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC.' });

/** Something else than blanks. */
export const notBlank = '\\S';

/** What people read: a name, or a reason. */
export function words(maxLength: number, more: { description?: string } = {}) {
  return Type.String({ pattern: notBlank, maxLength, ...more });
}

export const Name = words(200);
export const Reason = words(2000);

/** A name of a sub-pool, also in paths and reason codes. */
export const SubPoolName = words(100);

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** null: the login was let in. A trace that another release wrote may have another, and is told all the same: no union, which would fail. */
export const LoginReason = Type.Unsafe<RefusalReason | null>({
  type: ['string', 'null'],
  enum: [...refusalReasons, null],
  description: 'Stable: why the login is refused; null: it is let in.',
});

/** `{t}` of the path. */
export const TenantPath = Type.Object({ t: Type.String({ description: 'Id or slug of the tenant.' }) });
export const TenantAndId = Type.Object({
  t: Type.String({ description: 'Id or slug of the tenant.' }),
  id: Id,
});

const paging = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: limits.listLimitMax, default: limits.listLimitDefault }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 400, description: 'The last answer’s `nextCursor`.' })),
};

export const PageQuery = Type.Object(paging, closed);

export function pageQuery<T extends Record<string, TSchema>>(more: T) {
  return Type.Object({ ...paging, ...more }, closed);
}

export function listOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
}

const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable: branch on this.' }),
    detail: Type.String({ description: 'What is wrong and what to do, for a person.' }),
    field: Type.Optional(Type.String({ description: 'The field that is wrong; of several the first.' })),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
        description: 'Each field that is wrong.',
      }),
    ),
    requestId: Type.String(),
  },
  { description: 'RFC 9457' },
);

const content = { 'application/problem+json': { schema: Problem } };

/** The answers that every call can get besides its own. */
export const problems = {
  '4xx': { description: 'Refused: the problem says why.', content },
  '5xx': { description: 'Failed here: try again, or tell the request id.', content },
};
