/** Whether a session of the gateway answers what an application asks for, or a login must come first. */

import { decodeJwt } from 'jose';
import type { ConnectionId, TenantId, UserId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { StepUp } from '../core/asked.ts';

export interface AskedOfProvider {
  /** Of the client: a session of another tenant never answers. */
  tenantId: TenantId;
  /** Through which the person must have come; null: any. */
  connectionId: ConnectionId | null;
  /** Whom the application has in mind; null: anybody. */
  userId: UserId | null;
  stepUp: StepUp;
}

export interface StandingLogin {
  tenantId: TenantId;
  userId: UserId;
  connectionId: ConnectionId;
  authenticatedAt: Date;
  acr: string | null;
}

/** Parameters of an authorization request (OpenID Connect Core §3.1.2.1), each checked by the provider. */
export type AuthorizationParams = Partial<
  Record<'connection' | 'prompt' | 'acr_values' | 'id_token_hint', string>
> & {
  max_age?: number | string;
};

export function askedIn(tenantId: TenantId, params: AuthorizationParams): AskedOfProvider {
  return {
    tenantId,
    connectionId: (params.connection ?? null) as ConnectionId | null,
    userId: params.id_token_hint === undefined ? null : (decodeJwt(params.id_token_hint).sub as UserId),
    stepUp: {
      // Whoever must have shown it just now is asked now, whatever session the identity provider has.
      forceAuthn: words(params.prompt).includes('login') || Number(params.max_age ?? 1) === 0,
      acrValues: words(params.acr_values),
      maxAgeSeconds: params.max_age === undefined ? null : Number(params.max_age),
    },
  };
}

function words(text = ''): string[] {
  return text.split(' ').filter((word) => word !== '');
}

/** @param isJustNow The person showed who they are for this very request, however old it lets an answer be. */
export function isAnswered(
  login: StandingLogin,
  asked: AskedOfProvider,
  now: Date,
  isJustNow: boolean,
): boolean {
  const { forceAuthn, acrValues, maxAgeSeconds } = asked.stepUp;
  const age = (now.getTime() - login.authenticatedAt.getTime()) / 1000;
  return (
    login.tenantId === asked.tenantId &&
    (asked.connectionId === null || login.connectionId === asked.connectionId) &&
    (asked.userId === null || login.userId === asked.userId) &&
    (acrValues.length === 0 || (login.acr !== null && acrValues.includes(login.acr))) &&
    (isJustNow || (!forceAuthn && (maxAgeSeconds === null || age <= maxAgeSeconds)))
  );
}

/** As far as the identity provider's clock is to be trusted. */
export function isSince({ authenticatedAt }: Pick<StandingLogin, 'authenticatedAt'>, since: Date): boolean {
  return authenticatedAt.getTime() >= since.getTime() - limits.clockSkewSecondsMax * 1000;
}
