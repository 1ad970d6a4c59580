/** When metadata is fetched next, and what of a change it brings by itself. Pure. */

import { limits } from '../kernel/limits.ts';
import type { MetadataSource, SamlSettings } from './connection.ts';
import { logoutEndpointOf, ssoEndpointOf } from './core/binding.ts';
import { type IdentityProvider, identityProviderOf, type Published } from './core/metadata.ts';

const minuteMs = 60_000;

/** @param jitter From 0 to 1: of many that came at the same time not all are due again together. */
export function fetchedSource(url: string, published: Published, now: Date, jitter: number): MetadataSource {
  const { metadataMinutesMin: least, metadataMinutesMax: most } = limits;
  const { cacheSeconds, validUntil } = published;
  const untilMinutes = validUntil === null ? most : (validUntil.getTime() - now.getTime()) / minuteMs;
  const minutes = Math.max(least, Math.min(most, (cacheSeconds ?? most * 60) / 60, untilMinutes));
  const nextFetchAt = new Date(now.getTime() + minutes * minuteMs * (1 - jitter / 10));
  return { url, fetchedAt: now, nextFetchAt, failingSince: null, error: null, pending: null };
}

/** What is in use stays. It is tried again after as long as it has failed, within limits. */
export function failedSource(before: MetadataSource, error: string, now: Date): MetadataSource {
  const failingSince = before.failingSince ?? now;
  const { metadataMinutesMin: least, metadataRetryMinutesMax: most } = limits;
  const failing = (now.getTime() - failingSince.getTime()) / minuteMs;
  const minutes = Math.max(least, Math.min(most, failing));
  return { ...before, failingSince, error, nextFetchAt: new Date(now.getTime() + minutes * minuteMs) };
}

/**
 * Certificates roll over by themselves where https vouches for who said so; who and where the identity provider is, never. An
 * address that is not in use may be added.
 */
export function isToConfirm(url: string, settings: SamlSettings, provider: IdentityProvider): boolean {
  const later = { ...settings, ...provider };
  const isElsewhere =
    settings.entityId !== provider.entityId ||
    isMoved(settings.ssoUrl, provider.ssoUrl) ||
    isMoved(settings.ssoPostUrl, provider.ssoPostUrl) ||
    ssoEndpointOf(settings).url !== ssoEndpointOf(later).url ||
    logsOutElsewhere(settings, later);
  return isElsewhere || (!url.startsWith('https:') && !isSame(settings, provider));
}

/**
 * Nobody types a password where they sign out, and a logout that comes to nothing is told. But LogoutRequests name people, and the
 * browser follows them: they go to no other origin than those in use, of which an added address that is not is none.
 */
function logsOutElsewhere(settings: SamlSettings, later: SamlSettings): boolean {
  const to = logoutEndpointOf(later);
  const inUse = [ssoEndpointOf(settings), logoutEndpointOf(settings)].map(
    (endpoint) => endpoint && new URL(endpoint.url).origin,
  );
  return to !== undefined && !inUse.includes(new URL(to.url).origin);
}

function isMoved(from: string | null, to: string | null): boolean {
  return from !== null && from !== to;
}

export function isSame(one: IdentityProvider, other: IdentityProvider): boolean {
  const [first, second] = [one, other].map((provider) => {
    const { certificates, ...who } = identityProviderOf(provider);
    return JSON.stringify({ ...who, certificates: [...certificates].sort() });
  });
  return first === second;
}
