/**
 * Work that would wait in a row is done together: while some of a kind is under way, what comes is gathered, and all of it is
 * done at once when that is over. What comes alone is not delayed.
 */

interface Waiting<Item, Result> {
  item: Item;
  done: (result: Result) => void;
  failed: (error: unknown) => void;
}

export class Gathering<Item, Result> {
  readonly #work: (items: readonly [Item, ...Item[]]) => Promise<Result>;
  readonly #most: number;
  /** Of each kind that is under way. */
  readonly #waiting = new Map<string, Waiting<Item, Result>[]>();

  /** @param most Items that are done at once. */
  constructor(most: number, work: (items: readonly [Item, ...Item[]]) => Promise<Result>) {
    this.#most = most;
    this.#work = work;
  }

  /**
   * Answers what the work answers that the item was part of. Where work for several fails, it is done for each of them alone, so
   * that nobody hears of another's failure: work that fails must leave nothing behind, or bear to be repeated.
   */
  do(kind: string, item: Item): Promise<Result> {
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<Result>();
    const one = { item, done, failed };
    const waiting = this.#waiting.get(kind);
    if (waiting === undefined) this.#begin(kind, one);
    else waiting.push(one);
    return promise;
  }

  async #begin(kind: string, first: Waiting<Item, Result>): Promise<void> {
    const waiting: Waiting<Item, Result>[] = [];
    this.#waiting.set(kind, waiting);
    await this.#doFor([first]);
    for (let next = waiting.splice(0, this.#most); isSome(next); next = waiting.splice(0, this.#most)) {
      await this.#doFor(next);
    }
    this.#waiting.delete(kind);
  }

  async #doFor(all: readonly [Waiting<Item, Result>, ...Waiting<Item, Result>[]]): Promise<void> {
    const [{ item, failed }, ...others] = all;
    try {
      const result = await this.#work([item, ...others.map((other) => other.item)]);
      for (const { done } of all) done(result);
    } catch (error) {
      if (others.length === 0) failed(error);
      else await Promise.all(all.map((one) => this.#doFor([one])));
    }
  }
}

function isSome<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
