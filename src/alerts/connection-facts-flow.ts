/** What alerts watch of a tenant's connections. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { readCertificate } from '../kernel/certificate.ts';
import { limits } from '../kernel/limits.ts';
import type { ConnectionFacts } from '../licensing/connection-alert.ts';
import { type Connection, signsRequests } from '../sso/connection.ts';
import { currentKey } from '../sso/connection-key.ts';
import { selectConnections } from '../sso/connection-store.ts';

const firstId = '00000000-0000-0000-0000-000000000000';

/** Of those that let people in. */
export async function connectionFacts(tx: TenantTransaction): Promise<ConnectionFacts[]> {
  const connections = await selectConnections(tx, firstId, limits.connectionsPerTenantMax);
  return connections.filter(({ enabled }) => enabled).map(factsOf);
}

function factsOf(connection: Connection): ConnectionFacts {
  const { id, name, keys, metadata, protocol, settings } = connection;
  const certificates = protocol === 'saml' ? settings.certificates : [];
  const signs = protocol === 'saml' && signsRequests(settings);
  const ends = certificates.map((one) => readCertificate(one).notAfter?.getTime() ?? 0);
  return {
    ...{ id, name },
    identityProviderUntil: ends.length === 0 ? null : new Date(Math.max(...ends)),
    gatewayUntil: signs ? (currentKey(keys, 'signing')?.expiresAt ?? null) : null,
    failingSince: metadata?.failingSince ?? null,
    error: metadata?.error ?? null,
    pendingSince: metadata?.pending?.seenAt ?? null,
  };
}
