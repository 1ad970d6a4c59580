/** Many clients at once, each with its next piece of work as soon as the last is done; bounded in time. */

export interface Rush {
  clients: number;
  /** No work is begun after that. */
  secondsMax: number;
}

export interface Rushed {
  /** Pieces of work that ended well. */
  done: number;
  failed: number;
  firstFailure: string | null;
  seconds: number;
}

/** Hands the items out in their order, each to one client. */
export async function rush<T>(
  { clients, secondsMax }: Rush,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<Rushed> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const result = { done: 0, failed: 0, firstFailure: null as string | null };
  // One iterator for all.
  const rest = items.values();
  const client = async () => {
    for (const item of rest) {
      try {
        await work(item);
        result.done += 1;
      } catch (error) {
        result.failed += 1;
        result.firstFailure ??= error instanceof Error ? error.message : String(error);
      }
      if (elapsed() > secondsMax) return;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { ...result, seconds: elapsed() };
}
