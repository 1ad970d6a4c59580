/** What a test login shows: what came, and what a login would make of it. Nothing of it is done. */

import { toStorable } from '../../kernel/storable.ts';
import type { ExternalIdentity } from './identity.ts';
import type { RefusalReason } from './refusal.ts';

export interface TestReport {
  at: string;
  /** The steps that were passed. */
  steps: string[];
  /** null: the login would be let in. */
  reason: RefusalReason | null;
  detail: string | null;
  /** As the identity provider sent them, cut where they are many or long. */
  claims: { [name: string]: string[] };
  /** What `jit.attributes` makes of them; null: it did not come to that. */
  identity: { [name: string]: string } | null;
  /** The user whom it would sign in: who is there, or would be made. */
  user: { id: string; userName: string; isNew: boolean } | null;
  /** Roles that the user would have, and how the seat would stand. */
  roles: string[];
  seat: string | null;
}

const [claimsMax, valuesMax, lengthMax] = [100, 100, 300];

export type ClaimValues = ReadonlyMap<string, readonly string[]>;

export function shownClaims(claims: ClaimValues): TestReport['claims'] {
  const shown = [...claims]
    .slice(0, claimsMax)
    .map(([name, values]) => [shownText(name), values.slice(0, valuesMax).map(shownText)]);
  return Object.fromEntries(shown);
}

function shownText(text: string): string {
  return toStorable(text.slice(0, lengthMax));
}

export function shownIdentity(identity: ExternalIdentity): TestReport['identity'] {
  const texts = Object.entries(identity).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

/** Of an ID token, whose claims may be of any type. */
export function claimTexts(claims: Readonly<Record<string, unknown>>): ClaimValues {
  const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return new Map(Object.entries(claims).map(([name, value]) => [name, [value].flat().map(textOf)]));
}
