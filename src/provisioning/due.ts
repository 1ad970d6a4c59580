/** Whose decisions may be others because time has passed, or because the contract says something else. Pure. */

import type { GroupId } from '../kernel/ids.ts';
import { type Contract, termsAt } from '../licensing/contract.ts';
import { isValid, type Mapping } from '../licensing/mapping.ts';
import type { Affected } from './affected.ts';
import type { Pool } from './pool.ts';

/** Everybody of whom something ended, or whose mapping began or ceased to count, since dates were last looked at. */
export function dueBy({ rules, settledAt }: Pick<Pool, 'rules' | 'settledAt'>, now: Date): Affected {
  const turned = rules.mappings.filter(
    (mapping) => isValid(mapping, settledAt) !== isValid(mapping, now) || isWithin(mapping, settledAt, now),
  );
  return { endedBy: now, ...namedBy(turned) };
}

/** It began and ended since. */
function isWithin({ validFrom, validUntil }: Mapping, since: Date, now: Date): boolean {
  return validFrom !== null && validUntil !== null && since < validFrom && validUntil <= now;
}

/** Everybody whom these mappings may name. */
export function namedBy(
  mappings: readonly Mapping[],
): Required<Pick<Affected, 'groupIds' | 'roleValues' | 'claimValues'>> {
  const values = <T>(of: (mapping: Mapping) => T | null) => [
    ...new Set(mappings.flatMap((one) => of(one) ?? [])),
  ];
  return {
    groupIds: values<GroupId>(({ groupId }) => groupId),
    roleValues: values(({ roleValue }) => roleValue),
    claimValues: values(({ claimValue }) => claimValue),
  };
}

/** Whose roles follow from the contract, beside the seats it gives. */
export function affectedByTerms(
  pool: Pick<Pool, 'contract' | 'frozen' | 'settledAt'>,
  contract: Contract | undefined,
  now: Date,
): Affected {
  const [was, is] = [termsAt(pool.contract, pool.settledAt), termsAt(contract, now)];
  const isFrozen = is.phase === 'frozen';
  const isFallbackOther = was.fallbackRole !== is.fallbackRole;
  const isGraceOther = was.policy !== is.policy || was.graceDays !== is.graceDays;
  const areSeated = isFrozen !== pool.frozen || (isFrozen && isFallbackOther);
  return {
    seats: [
      ...(areSeated ? (['held', 'overage'] as const) : isGraceOther ? (['overage'] as const) : []),
      ...(isFallbackOther ? (['waiting'] as const) : []),
    ],
    denied: isFallbackOther,
  };
}
