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
  const { entityId, ssoUrl, ssoPostUrl, logoutUrl, logoutPostUrl } = settings;
  const later = { ...settings, ...provider };
  const isElsewhere =
    entityId !== provider.entityId ||
    isMoved(ssoUrl, provider.ssoUrl) ||
    isMoved(ssoPostUrl, provider.ssoPostUrl) ||
    ssoEndpointOf(settings).url !== ssoEndpointOf(later).url ||
    isMoved(logoutUrl, provider.logoutUrl) ||
    isMoved(logoutPostUrl, provider.logoutPostUrl) ||
    logoutEndpointOf(settings)?.url !== logoutEndpointOf(later)?.url;
  return isElsewhere || (!url.startsWith('https:') && !isSame(settings, provider));
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
