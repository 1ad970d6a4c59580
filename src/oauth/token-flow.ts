/** Issues access tokens (RFC 6749 §4.4): who is the client, what may it do, and a token that lives for an hour. */

import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant } from '../db/tenant-transaction.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { type ClientId, newId, parseId } from '../kernel/ids.ts';
import { hashToken, isTokenOf, newToken } from '../kernel/token.ts';
import { locate } from '../tenants/locator-store.ts';
import { grantedScope } from '../tenants/scope.ts';
import { checkAssertion } from './assertion-client.ts';
import {
  deleteExpiredTokens,
  findOauthClient,
  insertAccessToken,
  type KnownClient,
  noteSecretUse,
} from './client-store.ts';
import { failureRestSeconds, type IssuerKeys, IssuerUnavailable } from './issuer-keys-client.ts';
import { OAuthRefusal, unknownClient } from './refusal.ts';
import type { Proof, TokenRequest } from './token-request.ts';

/** Within the 60 to 360 minutes that Entra ID asks for. */
export const tokenSeconds = 3600;

export interface TokenServices {
  database: Database;
  clock: Clock;
  keys: IssuerKeys;
}

export interface SignedIn {
  client: KnownClient;
  /** With which it proved who it is; undefined: with an assertion. */
  secretId: string | undefined;
  scope: string;
}

/** @throws OAuthRefusal */
export async function signIn(
  { database, clock, keys }: TokenServices,
  request: TokenRequest,
): Promise<SignedIn> {
  const id = parseId<ClientId>(request.clientId);
  const client = id === undefined ? undefined : await findOauthClient(database, id, clock.now());
  if (client === undefined) throw unknownClient();
  const secretId = await prove(keys, client, request.proof);
  const scope = grantedScope(client.scope, request.scope);
  if (scope === undefined) {
    throw new OAuthRefusal('invalid_scope', `This client may ask for: ${client.scope}.`);
  }
  return { client, secretId, scope };
}

async function prove(keys: IssuerKeys, client: KnownClient, proof: Proof): Promise<string | undefined> {
  if (proof.kind === 'secret') {
    const secret = client.secrets.find(({ hash }) => isTokenOf(proof.secret, hash));
    if (secret === undefined) throw unknownClient();
    return secret.id;
  }
  if (client.trust === undefined) throw unknownClient();
  try {
    // Another's clock knows nothing of a clock that was moved here.
    await checkAssertion(
      keys,
      { ...client.trust, asker: client.tenantId },
      proof.assertion,
      systemClock.now(),
    );
  } catch (error) {
    if (!(error instanceof IssuerUnavailable)) throw error;
    const text = `The issuer can not be asked for its keys: ${error.message.replace(/\.$/, '')}. Try again.`;
    const detail = { retryAfterSeconds: failureRestSeconds, cause: error };
    throw new OAuthRefusal('temporarily_unavailable', text, detail);
  }
  return undefined;
}

/**
 * The token is a row of the directory's tokens, so that it is looked up as they are and ends with its client. It leaves
 * no audit entry: there is one every hour, and what is done with it says whose it was.
 *
 * @throws OAuthRefusal when the client is gone by now.
 */
export async function issueAccessToken(
  { database, clock }: TokenServices,
  { client, secretId, scope }: SignedIn,
): Promise<string> {
  const [now, token] = [clock.now(), newToken('access')];
  const row = {
    ...{ id: newId<string>(now.getTime()), hash: hashToken(token), scope },
    ...{ createdAt: now, expiresAt: new Date(now.getTime() + tokenSeconds * 1000) },
  };
  try {
    await inTenant(database, client.tenantId, async (tx) => {
      deleteExpiredTokens(tx, client.id, now);
      insertAccessToken(tx, client, row);
      locate(tx, 'directory_token', row.hash);
      if (secretId !== undefined) noteSecretUse(tx, secretId, now);
    });
  } catch (error) {
    const gone = ['directory_tokens_client', 'directory_tokens_directory'];
    if (gone.includes(brokenConstraint(error) ?? '')) throw unknownClient();
    throw error;
  }
  return token;
}
