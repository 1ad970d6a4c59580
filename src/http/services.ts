/** What every rim is handed: made once in main.ts. */

import type { Dispatcher } from 'undici';
import type { Database } from '../db/database.ts';
import type { TextRecords } from '../domains/dns-client.ts';
import type { Clock, MovedClock } from '../kernel/clock.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { Signer } from '../kernel/signer.ts';
import type { CreationLedger } from '../scim/creation-hook.ts';
import type { OidcProviders } from '../sso/oidc-client.ts';

export interface Services {
  database: Database;
  /** Connections for what nobody waits for, so that it takes none from requests. */
  background: Database;
  /** The gateway's time, for what is decided, written down and shown. */
  clock: Clock;
  /** The same clock where an operator may move it (TEST_CLOCK). */
  testClock: MovedClock | undefined;
  /** Real time, for what is agreed with others whose clocks nobody moves here. */
  realClock: Clock;
  secrets: SecretBox;
  /** Of the seals of the audit trail. */
  auditSigner: Signer;
  /** Origin that identity providers and browsers see, without a trailing slash. */
  publicUrl: string;
  /** Blue's GraphQL endpoint for tenants that set none. */
  blueApiUrl: string;
  /** Origin of Blue's application. */
  blueAppUrl: string;
  /** What connects to Blue and to issuers, by the rules for outbound URLs. */
  blueAgent: Dispatcher;
  /** What the DNS says of domains. */
  textRecords: TextRecords;
  allowPrivateNetworks: boolean;
  /** Tells the sync worker of this process that people were marked, so that it need not wait for its next look. */
  nudgeSync: () => void;
  /** What identity providers that speak OpenID Connect say of themselves. */
  oidcProviders: OidcProviders;
  creations: CreationLedger;
}
