/** A sub-pool as it is written. */

import Type, { type Static } from 'typebox';
import type { SubPoolDraft } from '../licensing/sub-pool.ts';
import { closed, nullable, SubPoolName } from './schemas.ts';

const most = 10_000_000;
export const share = {
  seats: Type.Integer({ minimum: 0, maximum: most, description: 'Its share of the seats.' }),
  borrowLimit: nullable(
    Type.Integer({
      minimum: 0,
      maximum: most,
      description: 'Seats that it may have above its share; null: as many as are free.',
    }),
  ),
};
const written = { seats: share.seats, borrowLimit: Type.Optional(share.borrowLimit) };

/** Its name stands in the path. */
export const SubPoolForm = Type.Object(written, closed);
export const NamedSubPoolForm = Type.Object({ name: SubPoolName, ...written }, closed);

export function readSubPool(
  name: string,
  { seats, borrowLimit = null }: Static<typeof SubPoolForm>,
): SubPoolDraft {
  return { name, seats, borrowLimit };
}
