/** What openid-client fails with, and the fetches that it makes, in the words of logins. */

import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';
import { DocumentFailed } from '../outbound/json-client.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';

/** The library's codes, in the words of logins. @param otherwise What it is where the code says nothing of it. */
export function refusalOf(error: unknown, otherwise?: RefusalReason): unknown {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Error)) return error;
  const said = sentenceOf(error);
  if (error instanceof AuthorizationResponseError) return new Refusal('status', said);
  if (error instanceof ResponseBodyError) return new Refusal('exchange', said);
  const { code } = error as { code?: string };
  const inner = (error.cause instanceof Error ? error.cause : error) as Error & {
    cause?: { claim?: string };
  };
  if (isOfNetwork(error) || code === 'OAUTH_TIMEOUT') return new Refusal('provider', said);
  if (/signature/.test(inner.message) || code === 'OAUTH_KEY_SELECTION_FAILED') {
    return new Refusal('signature', said);
  }
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') {
    return new Refusal(inner.cause?.claim === 'auth_time' ? 'step_up' : 'time', said);
  }
  return new Refusal(reasonOfClaim(inner.cause) ?? otherwise ?? 'token', said);
}

function reasonOfClaim(cause: { claim?: string } | undefined): RefusalReason | undefined {
  switch (cause?.claim) {
    case 'iss':
      return 'issuer';
    case 'aud':
    case 'azp':
      return 'audience';
    case 'nonce':
      return 'in_response_to';
    default:
      return undefined;
  }
}

function isOfNetwork(error: Error): boolean {
  return error instanceof DocumentFailed || (error.cause instanceof Error && isOfNetwork(error.cause));
}

/** Without what an identity provider wrote, but for OAuth's error code. */
function sentenceOf(error: Error): string {
  const { error: code } = error as { error?: unknown };
  const told = typeof code === 'string' && /^[a-z_]{1,60}$/.test(code) ? ` (${code})` : '';
  const inner = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `The answer of the identity provider: ${error.message}${told}${inner}.`.slice(0, 500);
}
