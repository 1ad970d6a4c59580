/** What changes a contract from a day on, as the admin API reads it. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { type LineDraft, unknownLine } from '../provisioning/prospect.ts';
import { checkDay, Day } from './day.ts';
import { closed, Name, nullable, Reason } from './schemas.ts';

const seatsMax = 10_000_000;
const noted = {
  reason: Reason,
  documentReference: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
};
export const Amendment = Type.Object(
  {
    effectiveOn: Day,
    paidSeats: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 0,
          maximum: seatsMax,
          description: 'The new total from that day on; null: unlimited. Left out: as before.',
        }),
      ),
    ),
    tier: Type.Optional(Name),
    endsOn: Type.Optional(Day),
    ...noted,
  },
  closed,
);
export const Line = Type.Object(
  {
    kind: Type.Enum(['add_on', 'ramp'], {
      description: 'An add-on may end before the contract (`endsOn`); a ramp stays.',
    }),
    startsOn: Day,
    endsOn: Type.Optional(nullable(Day)),
    paidSeats: Type.Integer({ minimum: 1, maximum: seatsMax, description: 'On top of the total.' }),
    ...noted,
  },
  closed,
);

/** @throws Fault `not_found` for what is no id. */
export function lineIdOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw unknownLine(text);
  return id;
}

export function readAmendment(body: Static<typeof Amendment>): LineDraft {
  const { effectiveOn, paidSeats, tier, endsOn, reason, documentReference = null } = body;
  checkDay('effectiveOn', effectiveOn);
  if (endsOn !== undefined) checkDay('endsOn', endsOn);
  if (paidSeats === undefined && tier === undefined && endsOn === undefined) {
    throw new Fault('invalid', 'An amendment changes "paidSeats", "tier" or "endsOn".', {
      field: 'paidSeats',
    });
  }
  return {
    kind: 'amendment',
    effectiveOn,
    endsOn: null,
    setsSeats: paidSeats !== undefined,
    paidSeats: paidSeats ?? null,
    tier: tier ?? null,
    contractEndsOn: endsOn ?? null,
    reason,
    documentReference,
  };
}

export function readLine(body: Static<typeof Line>): LineDraft {
  const { kind, startsOn, endsOn = null, paidSeats, reason, documentReference = null } = body;
  checkDay('startsOn', startsOn);
  if (endsOn !== null) checkDay('endsOn', endsOn);
  if (kind === 'ramp' && endsOn !== null) {
    throw new Fault('invalid', '"endsOn" goes with an add-on: a step of a ramp stays.', { field: 'endsOn' });
  }
  const nothingElse = { tier: null, contractEndsOn: null, setsSeats: false };
  return { ...nothingElse, kind, effectiveOn: startsOn, endsOn, paidSeats, reason, documentReference };
}
