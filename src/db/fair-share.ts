/** Who may hold how many of a few things at a time: nobody all of them, however much is asked for. Pure but for its memory. */

export class FairShare {
  readonly #most: number;
  readonly #waitMsMax: number;
  readonly #shares = new Map<string, { held: number; waiting: (() => void)[] }>();

  /**
   * @param most Things that one key may hold.
   * @param waitMsMax How long somebody waits for a thing of their key.
   */
  constructor(most: number, waitMsMax: number) {
    this.#most = most;
    this.#waitMsMax = waitMsMax;
  }

  /** Runs `work` with one thing of the key, in the order of the calls. @throws Error after having waited too long. */
  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    const share = this.#shares.get(key) ?? { held: 0, waiting: [] };
    this.#shares.set(key, share);
    if (share.held < this.#most) share.held += 1;
    else await this.#wait(share.waiting);
    try {
      return await work();
    } finally {
      // Whoever waits takes over what is held.
      const next = share.waiting.shift();
      if (next !== undefined) next();
      else {
        share.held -= 1;
        if (share.held === 0) this.#shares.delete(key);
      }
    }
  }

  #wait(waiting: (() => void)[]): Promise<void> {
    return new Promise((done, failed) => {
      const enter = () => {
        clearTimeout(timer);
        done();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(enter), 1);
        failed(new Error('timeout exceeded when trying to connect'));
      }, this.#waitMsMax);
      waiting.push(enter);
    });
  }
}
