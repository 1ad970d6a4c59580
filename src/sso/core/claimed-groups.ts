/**
 * In which groups somebody is by the word of an identity provider. That it tells none is not that there are none: Entra leaves the
 * claim out above 150 groups (SAML) or 200 (OpenID Connect).
 */

import { fold } from '../../kernel/fold.ts';
import { limits } from '../../kernel/limits.ts';
import { isStorable } from '../../kernel/storable.ts';

/** Folded, in order, each once; `unknown`: it does not tell them all, and those told before stay. */
export type ClaimedGroups = readonly string[] | 'unknown';

/** In its place where there are too many: https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-fed-group-claims */
const groupsLink = 'http://schemas.microsoft.com/claims/groups.link';

/** @param name The attribute that holds them; null: none is asked. */
export function samlGroups(
  attributes: ReadonlyMap<string, readonly string[]>,
  name: string | null,
): ClaimedGroups {
  return name === null || attributes.has(groupsLink) ? 'unknown' : claimedGroups(attributes.get(name));
}

/** A source elsewhere in their place (OpenID Connect Core §5.6.2), or a word that there are some, tells none: nothing is fetched there. */
export function oidcGroups(claims: Readonly<Record<string, unknown>>, name: string | null): ClaimedGroups {
  const { _claim_names: elsewhere, hasgroups } = claims;
  const isElsewhere =
    typeof elsewhere === 'object' && elsewhere !== null && name !== null && name in elsewhere;
  if (name === null || isElsewhere || (hasgroups !== undefined && hasgroups !== false)) return 'unknown';
  const said = Object.hasOwn(claims, name) ? claims[name] : undefined;
  const values: unknown[] = Array.isArray(said) ? said : [said];
  return values.every((value) => typeof value === 'string') ? claimedGroups(values) : 'unknown';
}

/** @param values undefined: the claim is not there. */
export function claimedGroups(values: readonly string[] | undefined): ClaimedGroups {
  if (values === undefined) return 'unknown';
  const groups = new Set(values.filter(canBeMapped).map(fold));
  return groups.size > limits.claimedGroupsMax ? 'unknown' : [...groups].sort();
}

/** What no mapping can name decides nothing. */
function canBeMapped(value: string): boolean {
  return value !== '' && value.length <= limits.claimedGroupLengthMax && isStorable(value);
}

/** What is in one of them alone. */
export function differenceOf(before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [...before.filter((one) => !is.has(one)), ...after.filter((one) => !was.has(one))];
}
