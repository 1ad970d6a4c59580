/**
 * The one place that knows openid-client, but for what it fails with (oidc-refusal-client.ts): what identity providers say of themselves,
 * where a browser is sent, and what an answer holds once it is checked. Every address is fetched through the outbound agent.
 */

import * as openid from 'openid-client';
import type { Dispatcher } from 'undici';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { keysIn } from '../oauth/issuer-document.ts';
import { guardedFetch } from '../outbound/fetch-client.ts';
import { DocumentFailed } from '../outbound/json-client.ts';
import type { OidcSettings } from './connection.ts';
import type { StepUp } from './core/asked.ts';
import { type Claims, joinClaims, maxAgeOf } from './core/oidc-identity.ts';
import { Refusal } from './core/refusal.ts';
import { refusalOf } from './oidc-refusal-client.ts';

export interface OidcProvidersOptions {
  dispatcher: Dispatcher;
  allowPrivateNetworks: boolean;
  /** A clock that only goes forward. */
  nowMs(): number;
  /** Told of documents that are used on. */
  log: { warn(of: object, text: string): void };
}

/** How the gateway shows that it is the client. */
export type ClientProof = { kind: 'secret'; secret: string } | { kind: 'key'; pkcs8: string; kid: string };

export interface Parties {
  tenantId: TenantId;
  settings: OidcSettings;
  proof: ClientProof;
  redirectUri: string;
}

interface Known {
  /** undefined: not asked yet. */
  metadata: Promise<openid.ServerMetadata> | undefined;
  askAgainAtMs: number;
  readAtMs: number;
  /** With when they were fetched: the library fetches them again for a key that it doesn't find, once a minute. */
  keys: openid.ExportedJWKSCache | undefined;
  keysReadAtMs: number;
}

/** At least, after one that failed, in milliseconds. */
const failureRestMs = 5000;

export class OidcProviders {
  readonly #options: OidcProvidersOptions;
  readonly #fetch: openid.CustomFetch;
  /** By tenant and issuer: nobody waits for, or learns from, what another tenant's connection asks. */
  readonly #known = new Map<string, Known>();

  constructor(options: OidcProvidersOptions) {
    this.#options = options;
    const { oidcDocumentBytesMax: bytesMax, oidcMsMax: msMax } = limits;
    const fetch = guardedFetch({ ...options, bytesMax, msMax });
    this.#fetch = (url, init) => fetch(url, init as Parameters<typeof fetch>[1]);
  }

  /** Where the browser is sent. @throws Refusal `provider` */
  async authorizationUrl(
    parties: Parties,
    asked: { state: string; nonce: string; codeVerifier: string; stepUp: StepUp; loginHint: string | null },
  ): Promise<string> {
    const { settings, redirectUri } = parties;
    const { stepUp } = asked;
    const maxAge = maxAgeOf(stepUp);
    const config = await this.#configuration(parties);
    const codeChallenge = await openid.calculatePKCECodeChallenge(asked.codeVerifier);
    const parameters = {
      redirect_uri: redirectUri,
      scope: settings.scopes.join(' '),
      state: asked.state,
      nonce: asked.nonce,
      code_challenge: codeChallenge,
      code_challenge_method: 'S256',
      ...(stepUp.forceAuthn ? { prompt: 'login' } : {}),
      ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
      ...(stepUp.acrValues.length === 0 ? {} : { acr_values: stepUp.acrValues.join(' ') }),
      ...(asked.loginHint === null ? {} : { login_hint: asked.loginHint }),
      ...(settings.hostedDomain === null ? {} : { hd: settings.hostedDomain }),
    };
    return addressOf(() => openid.buildAuthorizationUrl(config, parameters));
  }

  /**
   * Exchanges the code, and checks the ID token with its signature. Claims of the userinfo endpoint are added, where there is one.
   *
   * @param query As the browser brought it.
   * @param expected Besides what was asked, how long ago the person may have signed in there, in seconds. @throws Refusal
   */
  async exchange(
    parties: Parties,
    query: string,
    expected: { state: string; nonce: string; codeVerifier: string; maxAge: number | undefined },
  ): Promise<{ claims: Claims; idToken: string }> {
    const config = await this.#configuration(parties);
    const known = this.#knownOf(parties);
    if (known.keys !== undefined) openid.setJwksCache(config, known.keys);
    config[openid.customFetch] = this.#fetchKeeping(
      known,
      parties.settings,
      config.serverMetadata().jwks_uri,
    );
    const { maxAge } = expected;
    try {
      const tokens = await openid.authorizationCodeGrant(config, new URL(`${parties.redirectUri}?${query}`), {
        expectedState: expected.state,
        expectedNonce: expected.nonce,
        pkceCodeVerifier: expected.codeVerifier,
        idTokenExpected: true,
        ...(maxAge === undefined ? {} : { maxAge }),
      });
      const claims = tokens.claims();
      const idToken = tokens.id_token;
      if (claims === undefined || idToken === undefined) throw new Refusal('token', 'There is no ID token.');
      const more =
        config.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
      return { claims: joinClaims(claims, more), idToken };
    } catch (error) {
      throw refusalOf(error);
    } finally {
      known.keys = openid.getJwksCache(config) ?? known.keys;
    }
  }

  /** Where a browser signs out there; undefined: nowhere. @throws Refusal `provider` */
  async endSessionUrl(
    parties: Parties,
    parameters: { idToken: string; returnTo: string },
  ): Promise<string | undefined> {
    const config = await this.#configuration(parties);
    if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
    const { idToken, returnTo } = parameters;
    const query = { id_token_hint: idToken, post_logout_redirect_uri: returnTo };
    return addressOf(() => openid.buildEndSessionUrl(config, query));
  }

  /** @throws Refusal `provider` */
  async #configuration(parties: Parties): Promise<openid.Configuration> {
    const { settings } = parties;
    const metadata = await this.#metadata(parties).catch((error: unknown) => {
      throw refusalOf(error, 'provider');
    });
    const config = new openid.Configuration(
      metadata,
      settings.clientId,
      { id_token_signed_response_alg: settings.idTokenSignedResponseAlg },
      await authOf(settings, parties.proof),
    );
    config[openid.customFetch] = this.#fetch;
    config.timeout = limits.oidcMsMax / 1000;
    openid.enableNonRepudiationChecks(config);
    // Whether plain http is fetched at all is the agent's to say.
    if (this.#options.allowPrivateNetworks) openid.allowInsecureRequests(config);
    return config;
  }

  #knownOf(parties: Parties): Known {
    const key = keyOf(parties);
    const known = this.#known.get(key) ?? {
      ...{ metadata: undefined, askAgainAtMs: Number.NEGATIVE_INFINITY, readAtMs: Number.NEGATIVE_INFINITY },
      ...{ keys: undefined, keysReadAtMs: Number.NEGATIVE_INFINITY },
    };
    // Who was used longest ago goes first.
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > limits.oidcProvidersMax && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  async #metadata(parties: Parties): Promise<openid.ServerMetadata> {
    const known = this.#knownOf(parties);
    const now = this.#options.nowMs();
    if (known.metadata !== undefined && now < known.askAgainAtMs) return await known.metadata;
    known.askAgainAtMs = now + limits.oidcFreshMs;
    known.metadata = this.#readAnew(known, parties.settings, now);
    return await known.metadata;
  }

  /** What was read before is used on for a while, and asked again after as long as that has failed. */
  async #readAnew(known: Known, settings: OidcSettings, now: number): Promise<openid.ServerMetadata> {
    const { metadata: before, readAtMs } = known;
    try {
      const metadata = await this.#discover(settings);
      known.readAtMs = now;
      return metadata;
    } catch (error) {
      const isKept = before !== undefined && now - readAtMs < limits.issuerKeptMsMax;
      const failingMs = isKept ? now - readAtMs - limits.oidcFreshMs : 0;
      known.askAgainAtMs = now + Math.min(limits.oidcFreshMs, Math.max(failureRestMs, failingMs));
      if (!isKept) throw error;
      this.#warn(error, settings, 'a discovery document could not be read anew: the one before is used on');
      return await before;
    }
  }

  /** As with the discovery document; the library would refuse every login meanwhile. */
  #fetchKeeping(known: Known, settings: OidcSettings, keysUrl: string | undefined): openid.CustomFetch {
    return async (url, init) => {
      if (url !== keysUrl) return await this.#fetch(url, init);
      const now = this.#options.nowMs();
      try {
        const answer = await this.#fetch(url, init);
        if (answer.status !== 200) throw new DocumentFailed(`it answers ${answer.status}`);
        // A page of a proxy comes as 200, too.
        await answer.clone().json().then(keysIn).catch(noKeySet);
        known.keysReadAtMs = now;
        return answer;
      } catch (error) {
        if (known.keys === undefined || now - known.keysReadAtMs >= limits.issuerKeptMsMax) throw error;
        this.#warn(
          error,
          settings,
          'the keys of a provider could not be read anew: those before are used on',
        );
        return Response.json(known.keys.jwks);
      }
    };
  }

  #warn(err: unknown, { issuer }: OidcSettings, text: string): void {
    this.#options.log.warn({ err, issuer }, text);
  }

  async #discover({ issuer, clientId }: OidcSettings): Promise<openid.ServerMetadata> {
    const config = await openid.discovery(new URL(issuer), clientId, undefined, openid.None(), {
      [openid.customFetch]: this.#fetch,
      timeout: limits.oidcMsMax / 1000,
      execute: this.#options.allowPrivateNetworks ? [openid.allowInsecureRequests] : [],
    });
    const metadata = config.serverMetadata();
    if (metadata.issuer !== issuer) throw new DocumentFailed('its discovery document names another issuer');
    return metadata;
  }
}

function noKeySet(cause: unknown): never {
  throw new DocumentFailed('its jwks_uri holds no key set', { cause });
}

/** What the discovery document names may be no address, or none of the web. @throws Refusal `provider` */
function addressOf(build: () => URL): string {
  try {
    return build().href;
  } catch (error) {
    throw refusalOf(error, 'provider');
  }
}

function keyOf({ tenantId, settings }: Parties): string {
  return `${tenantId} ${settings.issuer}`;
}

async function authOf({ clientAuthMethod }: OidcSettings, proof: ClientProof): Promise<openid.ClientAuth> {
  if (proof.kind === 'secret') {
    return clientAuthMethod === 'client_secret_post'
      ? openid.ClientSecretPost(proof.secret)
      : openid.ClientSecretBasic(proof.secret);
  }
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const der = Buffer.from(proof.pkcs8.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const key = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  return openid.PrivateKeyJwt({ key, kid: proof.kid });
}
