/** What follows for people of a large edit, kept for as long as it is carried out. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Terms } from '../licensing/contract.ts';
import type { TermsPrints } from './basis.ts';
import { type Batch, selectSets } from './desire-sql.ts';
import type { Person } from './differing.ts';
import type { Pool } from './pool.ts';
import { type Ruling, rulingOf } from './ruling.ts';

/** What is decided by while the revision of the rules is the same. */
export interface Grounds extends Pick<Pool, 'revision' | 'rules'> {
  terms: Terms;
  prints: TermsPrints;
  now: Date;
}

/** What follows for everybody whose mappings print alike: one of them is looked up, and the rules are asked once. */
export class Rulings {
  readonly #grounds: Grounds;
  readonly #known = new Map<string, Ruling>();

  constructor(grounds: Grounds) {
    this.#grounds = grounds;
  }

  /** `strangers`: for whom nothing is known any more, since one of them changed after they were compared. */
  async of(
    tx: TenantTransaction,
    people: readonly Person[],
  ): Promise<{ rulings: Batch['rulings']; strangers: UserId[] }> {
    const alike = Map.groupBy(people, ({ print }) => print);
    const known = new Map([...alike.keys()].map((print) => [print, this.#known.get(print)]));
    for (const [print, ruling] of await this.#learn(tx, alike, known)) known.set(print, ruling);
    const rulings: Batch['rulings'][number][] = [];
    const strangers: UserId[] = [];
    for (const [print, some] of alike) {
      const ids = some.map(({ userId }) => userId);
      const ruling = known.get(print);
      if (ruling === undefined) strangers.push(...ids);
      else rulings.push({ ...ruling, people: ids });
    }
    return { rulings, strangers };
  }

  /** By the first of each print, if the mappings that name this person now still print so. */
  async #learn(
    tx: TenantTransaction,
    alike: ReadonlyMap<string, readonly Person[]>,
    known: ReadonlyMap<string, Ruling | undefined>,
  ): Promise<Map<string, Ruling>> {
    const prints = new Map(
      [...alike].flatMap(([print, [first]]): [UserId, string][] =>
        first === undefined || known.get(print) !== undefined ? [] : [[first.userId, print]],
      ),
    );
    const learned = new Map<string, Ruling>();
    if (prints.size === 0) return learned;
    const { rules, now } = this.#grounds;
    for (const { userId, set } of await selectSets(tx, [...prints.keys()], rules, now)) {
      const print = prints.get(userId);
      const ruling = rulingOf(set, rules, this.#grounds);
      if (print !== undefined && isPrintOf(print, ruling)) learned.set(print, ruling);
    }
    // Few sets are of many people; those of the others are seldom asked again.
    if (this.#known.size > rulingsKnownMax) this.#known.clear();
    for (const [print, ruling] of learned) this.#known.set(print, ruling);
    return learned;
  }
}

function isPrintOf(print: string, { basis }: Ruling): boolean {
  return Buffer.from(print, 'latin1').readBigInt64BE() === BigInt(basis);
}

/** About two kilobytes each. */
const rulingsKnownMax = 4000;
