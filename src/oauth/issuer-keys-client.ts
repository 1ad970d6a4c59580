/**
 * Keys of the issuers whose assertions clients show: fetched through the outbound agent, kept for a while. However slow,
 * large or wrong an issuer's documents are, it is asked once at a time, and nobody waits longer than the time limit.
 */

import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { Dispatcher } from 'undici';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { DocumentFailed, readJson } from '../outbound/json-client.ts';
import { checkOutboundUrl } from '../outbound/outbound-client.ts';
import { DocumentRefused, discoveryUrlOf, keysIn, keysUrlIn } from './issuer-document.ts';

/** The issuer's keys can't be had just now; the message says why. */
export class IssuerUnavailable extends Error {}

export interface IssuerKeysOptions {
  dispatcher: Dispatcher;
  allowPrivateNetworks: boolean;
  /** A clock that only goes forward. */
  nowMs(): number;
  /** Told of keys that are used on. */
  log: { warn(of: object, text: string): void };
  msMax?: number;
}

const freshMs = 10 * 60_000;
/** Between two fetches for the sake of a key that is not there, or while older keys are used on; and after one that failed. */
const keptRestMs = 30_000;
export const failureRestSeconds = 5;

interface Entry {
  /** undefined: never had. */
  keys: JWTVerifyGetKey | undefined;
  keysAtMs: number;
  /** When it was last asked, and what came of it. */
  askedAtMs: number;
  failure: IssuerUnavailable | undefined;
  pending: Promise<JWTVerifyGetKey> | undefined;
}

export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #entries = new Map<string, Entry>();
  /** How many issuers are asked just now, for each tenant whose client showed an assertion. */
  readonly #underWay = new Map<string, number>();

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * Finds the key of a token's header, as jose asks for it.
   *
   * @param asker The tenant that trusts the issuer.
   * @throws IssuerUnavailable, or jose's JWKSNoMatchingKey
   */
  keyFinder(issuer: string, asker: string): JWTVerifyGetKey {
    return async (header, token) => {
      const keys = await this.#keysOf(issuer, asker);
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayAskAgain(issuer))
          throw keyFailure(error);
      }
      const newer = await this.#ask(issuer, asker);
      try {
        return await newer(header, token);
      } catch (error) {
        throw keyFailure(error);
      }
    };
  }

  async #keysOf(issuer: string, asker: string): Promise<JWTVerifyGetKey> {
    const entry = this.#entry(issuer);
    const now = this.#options.nowMs();
    if (entry.keys !== undefined && now - entry.keysAtMs < freshMs) return entry.keys;
    const kept = now - entry.keysAtMs < limits.issuerKeptMsMax ? entry.keys : undefined;
    const restMs = kept === undefined ? failureRestSeconds * 1000 : keptRestMs;
    try {
      if (entry.failure !== undefined && now - entry.askedAtMs < restMs) throw entry.failure;
      return await this.#ask(issuer, asker);
    } catch (error) {
      if (kept === undefined) throw error;
      return kept;
    }
  }

  #mayAskAgain(issuer: string): boolean {
    const { askedAtMs, pending } = this.#entry(issuer);
    return pending !== undefined || this.#options.nowMs() - askedAtMs >= keptRestMs;
  }

  /** The issuer that was used longest ago goes first. */
  #entry(issuer: string): Entry {
    const entry = this.#entries.get(issuer) ?? {
      ...{ keys: undefined, keysAtMs: 0, askedAtMs: Number.NEGATIVE_INFINITY },
      ...{ failure: undefined, pending: undefined },
    };
    this.#entries.delete(issuer);
    this.#entries.set(issuer, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > limits.issuersMax && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  #ask(issuer: string, asker: string): Promise<JWTVerifyGetKey> {
    const entry = this.#entry(issuer);
    entry.pending ??= this.#fetchInto(entry, issuer, asker).finally(() => {
      entry.pending = undefined;
    });
    return entry.pending;
  }

  async #fetchInto(entry: Entry, issuer: string, asker: string): Promise<JWTVerifyGetKey> {
    const own = this.#underWay.get(asker) ?? 0;
    const all = this.#underWay.values().reduce((sum, count) => sum + count, 0);
    // One tenant's slow issuers leave room for those of the others.
    if (own >= limits.issuersAskedPerTenantMax || all >= limits.issuersAskedAtOnceMax)
      throw new IssuerUnavailable('too many issuers are asked now');
    this.#underWay.set(asker, own + 1);
    entry.askedAtMs = this.#options.nowMs();
    try {
      const keys = await this.#fetch(issuer);
      Object.assign(entry, { keys, keysAtMs: this.#options.nowMs(), failure: undefined });
      return keys;
    } catch (error) {
      entry.failure = unavailable(error);
      this.#options.log.warn({ err: entry.failure, issuer }, 'the keys of an issuer could not be fetched');
      throw entry.failure;
    } finally {
      this.#release(asker);
    }
  }

  #release(asker: string): void {
    const rest = (this.#underWay.get(asker) ?? 0) - 1;
    if (rest > 0) this.#underWay.set(asker, rest);
    else this.#underWay.delete(asker);
  }

  async #fetch(issuer: string): Promise<JWTVerifyGetKey> {
    const { dispatcher, allowPrivateNetworks, msMax = limits.issuerMsMax } = this.#options;
    // One time limit for both documents.
    const signal = AbortSignal.timeout(msMax);
    const options = { dispatcher, signal, bytesMax: limits.issuerDocumentBytesMax };
    const keysUrl = keysUrlIn(await readJson(discoveryUrlOf(issuer), options), issuer);
    checkOutboundUrl(keysUrl, 'jwks_uri', { allowPrivateNetworks });
    return createLocalJWKSet({ keys: keysIn(await readJson(keysUrl, options)) });
  }
}

/** A key that can't be imported is the issuer's fault. */
function keyFailure(error: unknown): unknown {
  return error instanceof errors.JOSEError
    ? error
    : new IssuerUnavailable('its key can not be used', { cause: error });
}

function unavailable(error: unknown): IssuerUnavailable {
  if (error instanceof IssuerUnavailable) return error;
  const isKnown =
    error instanceof DocumentFailed || error instanceof DocumentRefused || error instanceof Fault;
  return new IssuerUnavailable(isKnown ? error.message : 'its keys can not be read', { cause: error });
}
