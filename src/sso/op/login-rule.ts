/** Whether a session of the gateway answers what an application asks for, or a login must come first. */

import type { ConnectionId, TenantId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { StepUp } from '../core/asked.ts';

export interface AskedOfProvider {
  /** Of the client: a session of another tenant never answers. */
  tenantId: TenantId;
  /** Through which the person must have come; null: any. */
  connectionId: ConnectionId | null;
  stepUp: StepUp;
}

export interface StandingLogin {
  tenantId: TenantId;
  connectionId: ConnectionId;
  authenticatedAt: Date;
  acr: string | null;
}

/** Parameters of an authorization request (OpenID Connect Core §3.1.2.1), each checked by the provider. */
export type AuthorizationParams = Partial<Record<'connection' | 'prompt' | 'acr_values', string>> & {
  max_age?: number | string;
};

export function askedIn(tenantId: TenantId, params: AuthorizationParams): AskedOfProvider {
  return {
    tenantId,
    connectionId: (params.connection ?? null) as ConnectionId | null,
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

/** But for `forceAuthn`, which asks what was done and not what stands. */
export function isAnswered(login: StandingLogin, asked: AskedOfProvider, now: Date): boolean {
  const { acrValues, maxAgeSeconds } = asked.stepUp;
  return (
    login.tenantId === asked.tenantId &&
    (asked.connectionId === null || login.connectionId === asked.connectionId) &&
    (acrValues.length === 0 || (login.acr !== null && acrValues.includes(login.acr))) &&
    (maxAgeSeconds === null || isSince(login, new Date(now.getTime() - maxAgeSeconds * 1000)))
  );
}

/** As far as the identity provider's clock is to be trusted. */
export function isSince({ authenticatedAt }: Pick<StandingLogin, 'authenticatedAt'>, since: Date): boolean {
  return authenticatedAt.getTime() >= since.getTime() - limits.clockSkewSecondsMax * 1000;
}
