/** What a fuzzing run knows to exist: ids to aim at, kept to a few hundred, and the tokens of those who call. */

import type { Random } from './random.ts';

export interface Tokens {
  /** Two directories of the tenant that is fuzzed. */
  own: readonly string[];
  /** Of the tenant that must not notice; it only reads. */
  other: string;
}

/** In every name of the other tenant, so that an answer that shows one gives itself away. */
export const otherMark = 'tenant-b-only';

const mostUsers = 300;
const mostGroups = 40;
const mostGone = 200;
const userNames = Array.from({ length: 450 }, (_, n) => `fuzz${n}@example.com`);
const groupNames = Array.from({ length: 70 }, (_, n) => `Fuzz ${n}`);

export type Kind = 'Users' | 'Groups';

export class World {
  readonly tokens: Tokens;
  /** Stands for every password that is sent. */
  readonly secret: string;
  readonly own: Record<Kind, string[]> = { Users: [], Groups: [] };
  readonly other: Record<Kind, string[]> = { Users: [], Groups: [] };
  readonly #gone: string[] = [];

  constructor(tokens: Tokens, secret: string) {
    this.tokens = tokens;
    this.secret = secret;
  }

  names(random: Random) {
    const { own } = this;
    const any = (list: readonly string[]) => (list.length === 0 ? 'none' : random.pick(list));
    const ids = [
      ...random.list(4, 4, () => any(own.Users)),
      any(own.Groups),
      any(this.#gone),
      any(this.other.Users),
      random.pick(['00000000-0000-7000-8000-00000000000a', 'no-id', any(own.Users).toUpperCase(), '']),
    ];
    const people = random.list(6, 6, () => any(random.chance(0.98) ? own.Users : ids));
    return { ids, people, userNames, groupNames, secret: this.secret };
  }

  /** An id of that kind, seldom one that leads nowhere. */
  id(random: Random, kind: Kind): string {
    const { own, other } = this;
    const from = random.weighted<readonly string[]>([
      [80, () => own[kind]],
      [5, () => this.#gone],
      [5, () => other[kind]],
      [2, () => own[kind === 'Users' ? 'Groups' : 'Users']],
    ]);
    return from.length === 0 ? '00000000-0000-7000-8000-00000000000a' : random.pick(from);
  }

  /** How much more often than usual something of that kind is to be made, or deleted. */
  pressure(kind: Kind): { make: number; remove: number } {
    const share = this.own[kind].length / (kind === 'Users' ? mostUsers : mostGroups);
    return { make: share < 0.5 ? 5 : share < 1 ? 1 : 0.1, remove: share > 1 ? 8 : share > 0.5 ? 1 : 0.1 };
  }

  made(kind: Kind, id: string): void {
    if (!this.own[kind].includes(id)) this.own[kind].push(id);
  }

  removed(kind: Kind, id: string): void {
    const at = this.own[kind].indexOf(id.toLowerCase());
    if (at === -1) return;
    this.own[kind].splice(at, 1);
    this.#gone.push(id);
    if (this.#gone.length > mostGone) this.#gone.shift();
  }
}
