/** What is watched of connections to sign in with: certificates that end, metadata that can't be read or says something else. Pure. */

export interface ConnectionFacts {
  id: string;
  name: string;
  /** Of the identity provider's signing certificates the last end: as long as one is good, a new one needs no hurry. */
  identityProviderUntil: Date | null;
  /** Of the key that the gateway signs with. */
  gatewayUntil: Date | null;
  failingSince: Date | null;
  error: string | null;
  /** Since when a change waits for an admin. */
  pendingSince: string | null;
}

interface Of {
  connection: string;
  name: string;
}
export type ConnectionAlert =
  | ({ kind: 'certificate_ends'; whose: 'identity provider' | 'gateway'; at: string; hasEnded: boolean } & Of)
  | ({ kind: 'metadata_failing'; since: string; error: string } & Of)
  | ({ kind: 'metadata_changed'; since: string } & Of);

interface ConnectionWatch {
  mark: string;
  isMet: boolean;
  isOver: boolean;
  alert: ConnectionAlert;
}

const dayMs = 86_400_000;
/** The last one: it is over. */
const daysBefore = [30, 7, 1, 0];

export function watchConnection(facts: ConnectionFacts, now: Date): ConnectionWatch[][] {
  const of = { connection: facts.id, name: facts.name };
  return [
    watchEnd(of, 'identity provider', facts.identityProviderUntil, now),
    watchEnd(of, 'gateway', facts.gatewayUntil, now),
    watchFailing(of, facts, now),
    watchPending(of, facts),
  ];
}

function watchEnd(
  of: Of,
  whose: 'identity provider' | 'gateway',
  until: Date | null,
  now: Date,
): ConnectionWatch[] {
  if (until === null) return [];
  const left = (until.getTime() - now.getTime()) / dayMs;
  const alert = {
    kind: 'certificate_ends',
    whose,
    at: until.toISOString(),
    hasEnded: left <= 0,
    ...of,
  } as const;
  return daysBefore.map((days) => ({
    mark: `certificate:${of.connection}:${whose}:${days}`,
    isMet: left <= days,
    isOver: left > days,
    alert,
  }));
}

function watchFailing(of: Of, { failingSince, error }: ConnectionFacts, now: Date): ConnectionWatch[] {
  if (failingSince === null || error === null) return [];
  const alert = { kind: 'metadata_failing', since: failingSince.toISOString(), error, ...of } as const;
  const isMet = now.getTime() - failingSince.getTime() > dayMs;
  return [{ mark: `metadata_failing:${of.connection}`, isMet, isOver: !isMet, alert }];
}

/** Another change is another alert. */
function watchPending(of: Of, { pendingSince: since }: ConnectionFacts): ConnectionWatch[] {
  if (since === null) return [];
  const alert = { kind: 'metadata_changed', since, ...of } as const;
  return [{ mark: `metadata_changed:${of.connection}:${since}`, isMet: true, isOver: false, alert }];
}
