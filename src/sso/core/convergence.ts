/**
 * Whom of the tenant's users an identity makes somebody: how single sign-on and SCIM come to be one user, in whichever order. A link
 * rests on a subject that never changes; a userName or an address proves something only below a domain that the tenant showed to be
 * its own, and that the connection serves.
 */

import { domainOf } from '../../domains/core/domain-name.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { ExternalIdentity } from './identity.ts';
import { Refusal } from './refusal.ts';

/** Users whom the claims lead to. */
export interface Matches {
  linked: UserId | null;
  /** Of the connection's directory. */
  byExternalId: UserId | null;
  byUserName: UserId | null;
  /** Whose address is the claim's. */
  byEmail: readonly UserId[];
  /** Whose address is the userName claimed. */
  byUserNameAsAddress: readonly UserId[];
  /** Of the claims' domains those that are verified and that the connection serves. */
  served: readonly string[];
  /** And those that are verified and that another connection serves. */
  servedElsewhere: readonly string[];
  /** Who was removed, and had one of the claims. */
  removed: UserId | null;
}

export type Convergence = { kind: 'user'; userId: UserId; isNew: boolean } | { kind: 'create' };

/** @throws Refusal */
export function converge(
  identity: ExternalIdentity,
  matches: Matches,
  { create }: { create: boolean },
): Convergence {
  const { linked, byExternalId, removed } = matches;
  if (linked !== null) {
    if (byExternalId !== null && byExternalId !== linked) {
      throw new Refusal(
        'clash',
        `The subject is linked to the user ${linked}, the externalId is of ${byExternalId}.`,
      );
    }
    return { kind: 'user', userId: linked, isNew: false };
  }
  const proved = new Set(byExternalId === null ? [] : [byExternalId]);
  for (const userId of provedByName(identity, matches)) proved.add(userId);
  const [userId, another] = proved;
  if (another !== undefined) {
    throw new Refusal('clash', `The claims lead to more than one user: ${[...proved].join(', ')}.`);
  }
  if (userId !== undefined) return { kind: 'user', userId, isNew: true };
  refuseAlike(identity, matches);
  if (removed !== null) {
    throw new Refusal(
      'removed',
      `The user ${removed} was removed, and had one of these claims: push the person again, or let them be made anew (removed-user readmit).`,
    );
  }
  if (!create) {
    throw new Refusal(
      'not_provisioned',
      'Nobody of this identity was provisioned, and the connection makes nobody.',
    );
  }
  const elsewhere = matches.servedElsewhere.find((domain) => !matches.served.includes(domain));
  if (elsewhere !== undefined) {
    throw new Refusal(
      'foreign_domain',
      `People of ${elsewhere} sign in through another connection: let this one serve the domain, too, or begin there.`,
    );
  }
  return { kind: 'create' };
}

/** What the claims that are addresses end in. */
export function claimedDomains({ userName = '', email = '' }: ExternalIdentity): string[] {
  return [userName, email].flatMap((claim) => domainOf(claim) ?? []);
}

/** Users whose userName or address is the person's: an address only where no other user has it. */
function provedByName(identity: ExternalIdentity, { byUserName, byEmail, served }: Matches): UserId[] {
  if (isGuest(identity)) return [];
  const { userName, email, emailVerified, userNameVerified } = identity;
  const isVouched = (claim: string | undefined) =>
    claim !== undefined && isOneSpelling(claim) && served.includes(domainOf(claim) ?? '');
  const [only, ...others] = byEmail;
  return [
    ...(byUserName !== null && userNameVerified && isVouched(userName) ? [byUserName] : []),
    ...(only !== undefined && others.length === 0 && emailVerified && isVouched(email) ? [only] : []),
  ];
}

/** Entra writes the userName of somebody from another organisation so; their account there is not this one's to vouch for. */
function isGuest({ userName }: ExternalIdentity): boolean {
  return userName !== undefined && /#EXT#/i.test(userName);
}

/** Keys are lower case, and the Kelvin sign is `k` there: only letters of ASCII may be the same as others. */
function isOneSpelling(claim: string): boolean {
  return claim.toLowerCase() === claim.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** @throws Refusal */
function refuseAlike(
  identity: ExternalIdentity,
  { byUserName, byEmail, byUserNameAsAddress }: Matches,
): void {
  const [alike] = [...(byUserName === null ? [] : [byUserName]), ...byEmail, ...byUserNameAsAddress];
  if (alike === undefined) return;
  const what = isGuest(identity)
    ? 'and whoever is a guest there is known by their externalId alone'
    : 'which does not prove that it is the same person';
  throw new Refusal(
    'unproved',
    `The user ${alike} has this userName or address, ${what}: let the connection serve the verified domain, or compare externalIds.`,
  );
}
