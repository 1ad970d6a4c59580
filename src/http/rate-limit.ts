/** A token bucket for each key: a sustained rate, with more of it at once. Pure but for its own memory. */

const burstSeconds = 10;
/** Keys that are remembered; a forgotten one starts with a full bucket. */
const keysMax = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimit {
  readonly #perSecond: number;
  readonly #full: number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond Sustained requests a second for each key; 0: no limit. */
  constructor(perSecond: number, atOnce = perSecond * burstSeconds) {
    this.#perSecond = perSecond;
    this.#full = atOnce;
  }

  /** Takes one request out of the key's bucket. Answers 0, or the whole seconds after which it has one again. */
  take(key: string, nowMs: number): number {
    if (this.#perSecond === 0) return 0;
    const full = this.#full;
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: full, atMs: nowMs };
    const filled = Math.min(full, tokens + ((nowMs - atMs) / 1000) * this.#perSecond);
    const isAllowed = filled >= 1;
    this.#remember(key, { tokens: isAllowed ? filled - 1 : filled, atMs: nowMs });
    return isAllowed ? 0 : Math.ceil((1 - filled) / this.#perSecond);
  }

  /** The key that was used longest ago goes first. */
  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > keysMax && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
