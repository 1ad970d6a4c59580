/** Blue's tier limit: a sliding window of 60 s in three layers, asked before any resolver (API docs, rate-limits). */

import type { RateTier } from './types.ts';

const windowMs = 60_000;

export const scaleTier: RateTier = { key: 200, user: 400, organization: 600 };

export interface RateAnswer {
  readonly allowed: boolean;
  /** Of the tightest layer. */
  readonly limit: number;
  readonly remaining: number;
  /** When the oldest request of the tightest layer leaves the window. */
  readonly resetAtMs: number;
}

export class RateWindow {
  readonly #tier: RateTier;
  readonly #seen = new Map<string, number[]>();

  constructor(tier: RateTier = scaleTier) {
    this.#tier = tier;
  }

  /** Counts the request in every layer, or in none when one of them is full. */
  admit(layers: { key: string; user: string; organization: string }, nowMs: number): RateAnswer {
    const states = (['key', 'user', 'organization'] as const).map((layer) => {
      const times = this.#recent(`${layer}:${layers[layer]}`, nowMs);
      return { times, limit: this.#tier[layer], left: this.#tier[layer] - times.length };
    });
    const allowed = states.every(({ left }) => left > 0);
    if (allowed) for (const { times } of states) times.push(nowMs);
    const tightest = states.reduce((a, b) => (b.left < a.left ? b : a));
    const remaining = Math.max(0, tightest.left - (allowed ? 1 : 0));
    return {
      allowed,
      limit: tightest.limit,
      remaining,
      resetAtMs: (tightest.times[0] ?? nowMs) + windowMs,
    };
  }

  #recent(name: string, nowMs: number): number[] {
    const times = (this.#seen.get(name) ?? []).filter((at) => at > nowMs - windowMs);
    this.#seen.set(name, times);
    return times;
  }
}
