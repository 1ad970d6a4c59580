/** Why a login is refused: a closed list. The trace tells the reason and the detail, the person only a reference. */

export const refusalReasons = [
  /** The form: a field missing, twice, or too large. */
  'form',
  /** Base64 or UTF-8. */
  'encoding',
  'xml',
  /** Not what a response is made of, in the places where it belongs. */
  'structure',
  'algorithm',
  'encrypted',
  /** The identity provider itself refused. */
  'status',
  /** Nobody asked for it here (IdP-initiated). */
  'unsolicited',
  /** Unknown, answered before, too late, of another browser or another connection. */
  'request',
  'disabled',
  /** The identity provider ended the person's sessions since the login was begun. */
  'revoked',
  /** The identity provider does not answer, or its documents are not what they must be (OpenID). */
  'provider',
  /** It gave no tokens for the code (OpenID). */
  'exchange',
  /** The ID token is not what it must be (OpenID). */
  'token',
  /** The person is not of the organisation that the connection is for (OpenID: tid, hd). */
  'organisation',
  /** Not signed in as freshly, or not in the way, that was asked for. */
  'step_up',
  'signature',
  /** To verify it took more time or memory than a response may. */
  'too_costly',
  'issuer',
  'destination',
  'audience',
  'confirmation',
  'in_response_to',
  /** Too early, too late, or good for ever. */
  'time',
  'replayed',
  /** No subject that stays with the person. */
  'subject',
  /** A claim that was to have one value has several, or an attribute came twice. */
  'claim',
  /** The claims lead to more than one user, or the user has another subject here. */
  'clash',
  /** A user has this userName or address, which alone does not show that it is the same person. */
  'unproved',
  /** A claim's domain is another organisation's. */
  'foreign_domain',
  'not_provisioned',
  /** An administrator is to say whether the person is let in. */
  'pending',
  /** Was deleted, and is not made anew. */
  'removed',
  'inactive',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

export class Refusal extends Error {
  readonly reason: RefusalReason;

  /** @param detail For the tenant's admins. */
  constructor(reason: RefusalReason, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.reason = reason;
  }
}

/** Of people whom the identity provider vouched for: they are told what to do. */
export function isToldPlainly(reason: RefusalReason): reason is ToldPlainly {
  return told.some((one) => one === reason);
}

const told = ['not_provisioned', 'pending', 'removed', 'inactive'] as const;
export type ToldPlainly = (typeof told)[number];
