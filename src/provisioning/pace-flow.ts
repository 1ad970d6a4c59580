/** How many people a batch may concern, so that the pool is held no longer than is aimed at: learned from each batch. */

/** Half of what nobody may wait longer than: one batch in many takes twice as long as the last. */
const aimMs = 22;
const least = 20;
const mostPeople = 5000;

export class Pace {
  people: number;
  readonly #most: number;

  /** @param most People of one batch. */
  constructor(most = mostPeople) {
    this.#most = most;
    this.people = Math.min(most, 200);
  }

  /** @param work Is to say when it has the lock, and ends when it has given it back. */
  async time(people: number, work: (locked: () => void) => Promise<void>): Promise<void> {
    let since: number | undefined;
    await work(() => {
      since = performance.now();
    });
    if (since === undefined || people < this.people / 2) return;
    const heldMs = Math.max(1, performance.now() - since);
    // It grows slowly and shrinks at once.
    const wanted = Math.min(this.people * 1.3, (people * aimMs) / heldMs);
    this.people = Math.round(Math.min(this.#most, Math.max(least, wanted)));
  }
}
