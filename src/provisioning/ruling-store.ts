/** What follows for people of a large edit, kept for as long as it is carried out. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Terms } from '../licensing/contract.ts';
import type { TermsPrints } from './basis.ts';
import { type Batch, selectSets } from './desire-sql.ts';
import type { Person } from './differing.ts';
import type { Pool } from './pool.ts';
import { keepRoleSets } from './role-set-sql.ts';
import { type Ruling, rulingOf, type StoredRuling } from './ruling.ts';

/** What is decided by while the revision of the rules is the same. */
export interface Grounds extends Pick<Pool, 'revision' | 'rules'> {
  terms: Terms;
  prints: TermsPrints;
  now: Date;
}

/** What follows for everybody whose mappings print alike: one of them is looked up, and the rules are asked once. */
export class Rulings {
  readonly #grounds: Grounds;
  readonly #known = new Map<string, StoredRuling>();

  constructor(grounds: Grounds) {
    this.#grounds = grounds;
  }

  /** `strangers`: for whom nothing is known any more, since one of them changed after they were compared. */
  async of(
    tx: TenantTransaction,
    people: readonly Person[],
  ): Promise<{ rulings: Batch['rulings']; strangers: UserId[] }> {
    const alike = Map.groupBy(people, ({ print }) => print);
    // Few sets are of many people; those of the others are seldom asked again.
    if (this.#known.size > rulingsKnownMax) this.#known.clear();
    await this.#learn(tx, alike);
    const rulings: Batch['rulings'][number][] = [];
    const strangers: UserId[] = [];
    for (const [print, some] of alike) {
      const ids = some.map(({ userId }) => userId);
      const ruling = this.#known.get(print);
      if (ruling === undefined) strangers.push(...ids);
      else rulings.push({ ...ruling, people: ids });
    }
    return { rulings, strangers };
  }

  /** By the first of each print, if the mappings that name this person now still print so. */
  async #learn(tx: TenantTransaction, alike: ReadonlyMap<string, readonly Person[]>): Promise<void> {
    const prints = new Map(
      [...alike].flatMap(([print, [first]]): [UserId, string][] =>
        first === undefined || this.#known.has(print) ? [] : [[first.userId, print]],
      ),
    );
    if (prints.size === 0) return;
    const { rules, now } = this.#grounds;
    const sets = await selectSets(tx, [...prints.keys()], rules, now);
    const learnt = sets.flatMap(({ userId, set }): [string, Ruling][] => {
      const print = prints.get(userId);
      const ruling = rulingOf(set, rules, this.#grounds);
      return print !== undefined && isPrintOf(print, ruling) ? [[print, ruling]] : [];
    });
    const ids = await keepRoleSets(
      tx,
      learnt.flatMap(([, { requested, seated, unseated }]) => [requested, seated, unseated]),
    );
    for (const [at, [print, ruling]] of learnt.entries())
      this.#known.set(print, stored(ruling, ids.slice(at * 3)));
  }
}

function stored(
  { set: _, requested, seated: _seated, unseated: _unseated, ...ruling }: Ruling,
  [requestedId = '', seatedId = '', unseatedId = '']: readonly string[],
): StoredRuling {
  return { ...ruling, isEmpty: requested.length === 0, requestedId, seatedId, unseatedId };
}

function isPrintOf(print: string, { basis }: Ruling): boolean {
  return Buffer.from(print, 'latin1').readBigInt64BE() === BigInt(basis);
}

/** About half a kilobyte each. */
const rulingsKnownMax = 20_000;
