/** A domain of a tenant: pending until its TXT record was seen, then verified and nobody else's. */

export interface Domain {
  domain: string;
  challenge: string;
  createdAt: Date;
  /** null: pending. */
  verifiedAt: Date | null;
  checkedAt: Date | null;
  /** Since when the record of a domain that is or was verified is not there. */
  missingSince: Date | null;
}

export type DomainCheck = Pick<Domain, 'verifiedAt' | 'checkedAt' | 'missingSince'> & {
  /** When to look again by itself; null: not at all. */
  checkAt: Date | null;
};
