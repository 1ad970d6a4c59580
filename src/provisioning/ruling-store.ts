/** What follows for people of a large edit, kept for as long as it is carried out. */

import { setImmediate } from 'node:timers/promises';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Terms } from '../licensing/contract.ts';
import type { TermsPrints } from './basis.ts';
import { type Batch, selectSets } from './desire-sql.ts';
import type { Person } from './differing.ts';
import type { Pool } from './pool.ts';
import type { RoleSet } from './role-set.ts';
import { keepRoleSets } from './role-set-sql.ts';
import { type Ruling, rulingOf, type StoredRuling, storedRuling } from './ruling.ts';

/** What is decided by while the revision of the rules is the same. */
export interface Grounds extends Pick<Pool, 'revision' | 'rules' | 'subPools'> {
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

  /**
   * In a transaction of its own: the sets of roles that several batches name must not make one wait until another is written.
   * `strangers`: for whom nothing is known any more, since one of them changed after they were compared.
   */
  async of(
    database: Database,
    { tenantId }: Door,
    people: readonly Person[],
  ): Promise<{ rulings: Batch['rulings']; strangers: UserId[] }> {
    const alike = Map.groupBy(people, ({ print }) => print);
    const firsts = new Map(
      [...alike].flatMap(([print, [first]]): [UserId, string][] =>
        first === undefined || this.#known.has(print) ? [] : [[first.userId, print]],
      ),
    );
    const known = new Map([...alike.keys()].map((print) => [print, this.#known.get(print)]));
    const learnt =
      firsts.size === 0 ? [] : await inTenant(database, tenantId, (tx) => this.#learn(tx, firsts));
    for (const [print, ruling] of learnt) known.set(print, ruling);
    this.#keep(learnt);
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

  /** By somebody of each print, if the mappings that name this person now still print so. */
  async #learn(
    tx: TenantTransaction,
    firsts: ReadonlyMap<UserId, string>,
  ): Promise<[string, StoredRuling][]> {
    const { rules, now } = this.#grounds;
    const people = await selectSets(tx, [...firsts.keys()], rules, now);
    const learnt: [string, StoredRuling][] = [];
    const sets: RoleSet[] = [];
    for (let from = 0; from < people.length; from += ruledAtOnce) {
      const some = people
        .slice(from, from + ruledAtOnce)
        .flatMap(({ userId, ...named }): [string, Ruling][] => {
          const print = firsts.get(userId);
          const ruling = rulingOf(named, rules, this.#grounds);
          return print !== undefined && isPrintOf(print, ruling) ? [[print, ruling]] : [];
        });
      for (const [print, ruling] of some) {
        const stored = storedRuling(ruling);
        learnt.push([print, stored.ruling]);
        sets.push(...stored.sets);
      }
      // Somebody else here may hold the pool.
      await setImmediate();
    }
    tx.send(keepRoleSets(tx, sets));
    return learnt;
  }

  /** Few sets of mappings are of many people; those of the others are seldom asked again. */
  #keep(learnt: readonly [string, StoredRuling][]): void {
    if (this.#known.size > rulingsKnownMax) this.#known.clear();
    for (const [print, ruling] of learnt) this.#known.set(print, ruling);
  }
}

function isPrintOf(print: string, { basis }: Ruling): boolean {
  return Buffer.from(print, 'latin1').readBigInt64BE() === BigInt(basis);
}

/** A few milliseconds of reckoning. */
const ruledAtOnce = 100;

/** About half a kilobyte each. */
const rulingsKnownMax = 12_000;
