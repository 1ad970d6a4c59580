/** A contract as the admin API reads and shows it. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { fallbackRoles } from '../licensing/catalogue.ts';
import { type Contract, type ContractDraft, overagePolicies, termsAt } from '../licensing/contract.ts';
import { startOf } from '../licensing/contract-day.ts';
import { checkDay, Day } from './day.ts';
import { closed, Name, nullable, Time } from './schemas.ts';

const Text = Type.Optional(nullable(Type.String({ maxLength: 2000 })));
export const ContractForm = Type.Object(
  {
    kind: Type.Enum(['evaluation', 'annual', 'multi_year']),
    tier: Name,
    paidSeats: nullable(Type.Integer({ minimum: 0, maximum: 10_000_000, description: 'null: unlimited.' })),
    startsOn: Day,
    endsOn: Day,
    paymentSchedule: Type.Enum(['annual', 'quarterly', 'custom']),
    overage: Type.Object(
      {
        policy: Type.Enum([...overagePolicies], {
          description: 'What happens to a person for whom no seat is free.',
        }),
        allowancePercent: Type.Optional(
          nullable(
            Type.Integer({
              minimum: 0,
              maximum: 1000,
              description: 'grace, allow: seats above the capacity, in percent of it, rounded down.',
            }),
          ),
        ),
        graceDays: Type.Optional(
          nullable(
            Type.Integer({
              minimum: 0,
              maximum: 365,
              description: 'grace: days that a person keeps such a seat; 0: nobody gets one.',
            }),
          ),
        ),
      },
      closed,
    ),
    fallbackRole: Type.Enum([...fallbackRoles], {
      description: 'Instead of a paid role without a seat.',
    }),
    terms: Text,
    documentReference: Text,
    accountManager: Text,
    billingPortalUrl: Type.Optional(
      nullable(
        Type.String({ maxLength: 2000, description: 'An address that begins with https:// or http://.' }),
      ),
    ),
    evaluationGraceDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 365,
        default: 14,
        description: 'After an evaluation holders keep their roles for so many days.',
      }),
    ),
    decreaseGraceDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 365,
        default: 30,
        description: 'After the capacity fell, those above it keep their seats for so many days.',
      }),
    ),
  },
  closed,
);
const InForce = Type.Object({
  at: Time,
  phase: Type.Enum(['none', 'upcoming', 'running', 'grace', 'frozen', 'ended']),
  tier: nullable(Type.String()),
  capacity: nullable(
    Type.Integer({ description: 'Base line, amendments and what stands on top. null: unlimited.' }),
  ),
  endsOn: nullable(Type.String()),
});
const Next = Type.Object(
  {
    kind: Type.String(),
    tier: Type.String(),
    paidSeats: nullable(Type.Integer()),
    startsOn: Type.String(),
    endsOn: Type.String(),
  },
  { description: 'Signed ahead: it holds in place of this one from its first day. null: nothing is.' },
);
export const ContractAnswer = Type.Interface([ContractForm], { inForce: InForce, next: nullable(Next) });

export function readContract(body: Static<typeof ContractForm>): ContractDraft {
  const { overage, terms, documentReference, accountManager, billingPortalUrl, ...rest } = body;
  const { evaluationGraceDays = 14, decreaseGraceDays = 30 } = body;
  const { policy, allowancePercent = null, graceDays = null } = overage;
  for (const field of ['startsOn', 'endsOn'] as const) checkDay(field, body[field]);
  if (body.endsOn < body.startsOn) {
    throw new Fault('invalid', '"endsOn" must not be before "startsOn".', { field: 'endsOn' });
  }
  refuseVain(overage);
  refuseNoWebsite('billingPortalUrl', billingPortalUrl ?? null);
  return {
    ...rest,
    policy,
    allowancePercent,
    graceDays,
    terms: terms ?? null,
    documentReference: documentReference ?? null,
    accountManager: accountManager ?? null,
    billingPortalUrl: billingPortalUrl ?? null,
    evaluationGraceDays,
    decreaseGraceDays,
  };
}

/** Whoever shows the contract makes a link of it. @throws Fault `invalid` for what a browser would run, or find nowhere. */
function refuseNoWebsite(field: string, text: string | null): void {
  if (text === null || (/^https?:\/\//i.test(text) && URL.canParse(text))) return;
  throw new Fault('invalid', `"${field}" must be an address that begins with https:// or http://.`, {
    field,
  });
}

/** @throws Fault `invalid` for an allowance that the policy needs and does not have, or has and does not know. */
function refuseVain({ policy, allowancePercent, graceDays }: Static<typeof ContractForm>['overage']): void {
  const fields = {
    allowancePercent: { value: allowancePercent, policies: ['grace', 'allow'] },
    graceDays: { value: graceDays, policies: ['grace'] },
  };
  for (const [name, { value, policies }] of Object.entries(fields)) {
    const [isGiven, isMeant] = [value != null, policies.includes(policy)];
    if (isGiven === isMeant) continue;
    const text = isMeant
      ? `policy ${policy} needs "${name}"`
      : `"${name}" means nothing under policy ${policy}`;
    throw new Fault('invalid', `overage: ${text}.`, { field: `overage.${name}` });
  }
}

export function showContract({
  policy,
  allowancePercent,
  graceDays,
  ...rest
}: ContractDraft): Static<typeof ContractForm> {
  return {
    ...rest,
    overage: {
      policy,
      ...(allowancePercent === null ? {} : { allowancePercent }),
      ...(graceDays === null ? {} : { graceDays }),
    },
  };
}

/** @param at When something else was still to come. */
export function showNext(contract: Contract | undefined, at: Date): Static<typeof Next> | null {
  const next = contract?.later?.find(({ startsOn }) => at < startOf(startsOn));
  if (next === undefined) return null;
  const { kind, tier, paidSeats, startsOn, endsOn } = next;
  return { kind, tier, paidSeats, startsOn, endsOn };
}

export function showInForce(contract: Contract | undefined, at: Date): Static<typeof InForce> {
  const { phase, tier, capacity, endsOn } = termsAt(contract, at);
  return { at: at.toISOString(), phase, tier, capacity, endsOn };
}
