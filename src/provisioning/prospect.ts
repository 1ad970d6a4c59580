/**
 * What an edit would make of what decisions rest on: the one account of it, for whoever makes the edit and for whoever asks
 * first what it would do. Pure.
 */

import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import { sameJson } from '../kernel/same-json.ts';
import { catalogueOf, changedRoles, type RoleEntry, type RoleKey } from '../licensing/catalogue.ts';
import {
  type BaseLine,
  type Contract,
  type ContractDraft,
  type ContractLine,
  termOf,
  termsSigned,
} from '../licensing/contract.ts';
import { startOf } from '../licensing/contract-day.ts';
import type { Rules } from '../licensing/mapping.ts';
import type { Pin } from '../licensing/pin.ts';
import type { SubPool } from '../licensing/sub-pool.ts';
import type { Settings } from '../tenants/settings.ts';
import type { Affected } from './affected.ts';
import { affectedByTerms, dueBy } from './due.ts';
import { affectedByMappings, type MappingSet } from './mapping-set.ts';
import { areSeatsTaken, type Pool } from './pool.ts';
import type { PersonFacts } from './standing.ts';

export interface Prospect {
  /** With the contract and the rules as they would be. */
  pool: Pool;
  affected: Affected;
  /** Those that the edit replaces, where it is one of mappings or of what roles are. */
  rulesBefore?: Rules;
  /** The open batch would be settled. */
  isSettling?: boolean;
  /** Who would be left alone, by userName or address, folded. */
  exclusions?: readonly string[];
  pinned?: { userId: UserId; pin: Pin | null };
  /** People who would be written, in place of what is written of them. */
  intake?: IntakeFacts;
  /** Of those affected only who has a seat. */
  ofHolders?: boolean;
}

export interface IntakeFacts {
  changes: ReadonlyMap<UserId, Partial<PersonFacts>>;
  newcomers: readonly PersonFacts[];
  names: ReadonlyMap<UserId, string>;
}

/** @throws Fault `invalid` naming the mapping by its place, where it names a sub-pool that is not there. */
export function byMappings(pool: Pool, before: MappingSet, after: MappingSet): Prospect {
  for (const [index, { subPool }] of after.entries()) {
    refuseUnknownSubPool(pool, subPool, `mappings.${index}.subPool`);
  }
  return {
    pool: { ...pool, rules: { ...pool.rules, mappings: after } },
    affected: affectedByMappings(before, after),
    rulesBefore: { ...pool.rules, mappings: before },
  };
}

/** @throws Fault `invalid` naming the field. */
export function refuseUnknownSubPool(
  { subPools }: Pick<Pool, 'subPools'>,
  subPool: string | null,
  field: string,
): void {
  if (subPool === null || subPools.some(({ name }) => name === subPool)) return;
  throw new Fault('invalid', `There is no sub-pool "${subPool}": write it first.`, { field });
}

export function byContract(pool: Pool, contract: Contract | undefined, now: Date): Prospect {
  const affected = { ...affectedByTerms(pool, contract, now), ...dueBy(pool, now) };
  return { pool: { ...pool, contract }, affected };
}

/**
 * The base line written or corrected: the other lines stay. One whose first day is to come holds from then on, where another one
 * holds, or held, until then.
 *
 * @throws Fault `invalid` naming `startsOn` or `endsOn`, where a line would come to lie before or after the contract.
 */
export function withBase({ contract }: Pick<Pool, 'contract'>, draft: ContractDraft, now: Date): Contract {
  if (contract === undefined) return { ...draft, lines: [] };
  const kept = new Set(keptBeside(draft, contract, now));
  const [first = draft, ...later] = [...kept, draft].sort((a, b) => (a.startsOn < b.startsOn ? -1 : 1));
  const after = { ...first, lines: contract.lines, later };
  for (const line of after.lines) {
    const termIn = (one: Contract) => termOf(one, startOf(line.effectiveOn)).startsOn;
    const [was, is] = [termIn(contract), termIn(after)];
    const isKept = (startsOn: string) => [...kept].some((term) => term.startsOn === startsOn);
    // A line of the term that is written anew would come to the one before.
    if (!isKept(was) && isKept(is)) throw outside('startsOn', `after ${line.effectiveOn}`, line);
    if (isKept(was) && was !== is) throw outside('startsOn', `on or before ${line.effectiveOn}`, line);
    // What lay wrong before (a line that moved the last day was withdrawn) must not keep the rest from being corrected.
    const isNew = (lies: typeof isEarly) => lies(after, line) && !lies(contract, line);
    if (isNew(isEarly)) throw outside('startsOn', `after ${line.effectiveOn}`, line);
    if (isNew(isLate)) throw outside('endsOn', `before ${line.effectiveOn}`, line);
  }
  return after;
}

/**
 * What of all that was signed stands beside a base line. One that has begun corrects the one that is in force, unless it follows it; one
 * whose first day is to come corrects whatever was to come.
 */
function keptBeside(draft: BaseLine, contract: Contract, now: Date): readonly BaseLine[] {
  const isBegun = ({ startsOn }: BaseLine) => startOf(startsOn) <= now;
  const signed = termsSigned(contract);
  const begun = signed.filter(isBegun);
  if (begun.length === 0 || !isBegun(draft)) return begun;
  const before = begun.filter(({ startsOn }) => startsOn < draft.startsOn);
  const newest = begun.at(-1);
  const isCorrected = newest !== undefined && before.includes(newest) && !isAfter(draft, newest, contract);
  return [...(isCorrected ? before.slice(0, -1) : before), ...signed.filter((term) => !isBegun(term))];
}

/** What was signed late, when the term before was over, and whatever an evaluation became: what held until then, held. */
function isAfter(draft: BaseLine, term: BaseLine, contract: Contract): boolean {
  if (term.kind === 'evaluation' && draft.kind !== 'evaluation') return true;
  return lastDayOf(termOf(contract, startOf(term.startsOn))) < draft.startsOn;
}

function outside(field: 'startsOn' | 'endsOn', where: string, { kind }: ContractLine): Fault {
  const name = kind === 'add_on' ? 'add-on' : kind;
  const text = `"${field}" must not be ${where}, when the ${name} of that day begins: withdraw that line first.`;
  return new Fault('invalid', text, { field });
}

export interface LineDraft extends ContractLine {
  reason: string;
  documentReference: string | null;
}

/** @throws Fault `conflict` when there is no contract, or as `withLines`; `invalid` naming the field for days that lie wrong. */
export function withLine({ contract }: Pick<Pool, 'contract'>, draft: LineDraft): Contract {
  if (contract === undefined) throw new Fault('conflict', 'There is no contract yet: write it first.');
  refuseEarly(contract, draft);
  refuseLate(contract, draft);
  const lines = [...contract.lines, draft].toSorted((a, b) =>
    a.effectiveOn < b.effectiveOn ? -1 : a.effectiveOn > b.effectiveOn ? 1 : 0,
  );
  return withLines(contract, lines);
}

function refuseEarly(contract: Contract, line: LineDraft): void {
  const { effectiveOn, endsOn, contractEndsOn, kind } = line;
  const first = kind === 'amendment' ? 'effectiveOn' : 'startsOn';
  if (isEarly(contract, line)) {
    throw new Fault(
      'invalid',
      `"${first}" must not be before the contract's first day, ${contract.startsOn}.`,
      {
        field: first,
      },
    );
  }
  const reversed = (day: string | null) => day !== null && day < effectiveOn;
  if (!reversed(endsOn) && !reversed(contractEndsOn)) return;
  throw new Fault('invalid', `"endsOn" must not be before "${first}".`, { field: 'endsOn' });
}

function isEarly(contract: Contract, { effectiveOn }: ContractLine): boolean {
  return effectiveOn < termOf(contract, startOf(effectiveOn)).startsOn;
}

function refuseLate(contract: Contract, line: LineDraft): void {
  if (!isLate(contract, line)) return;
  const first = line.kind === 'amendment' ? 'effectiveOn' : 'startsOn';
  const text = `"${first}" must not be after the contract's last day, ${lastDayOf(termOf(contract, startOf(line.effectiveOn)))}.`;
  throw new Fault('invalid', text, { field: first });
}

/** One that would say something of the time after the last day, unless it is the one that moves that. */
function isLate(contract: Contract, { effectiveOn, contractEndsOn }: ContractLine): boolean {
  return contractEndsOn === null && effectiveOn > lastDayOf(termOf(contract, startOf(effectiveOn)));
}

/** What the last line says that moves it. */
function lastDayOf({ endsOn, lines }: Contract): string {
  return lines.findLast(({ contractEndsOn }) => contractEndsOn !== null)?.contractEndsOn ?? endsOn;
}

/**
 * With other lines than it has.
 *
 * @throws Fault `conflict` where one of them would come to lie after the contract's last day.
 */
export function withLines(contract: Contract, lines: readonly ContractLine[]): Contract {
  const after = { ...contract, lines };
  const stranded = lines.find((one) => isLate(after, one) && !isLate(contract, one));
  if (stranded === undefined) return after;
  const text = `The line of ${stranded.effectiveOn} would come to lie after the contract's last day: withdraw it first.`;
  throw new Fault('conflict', text);
}

export function unknownLine(id: string): Fault {
  return new Fault('not_found', `There is no line ${id} in the contract.`);
}

/** Whom settings leave alone, or no longer. */
export interface Turned {
  userIds: readonly UserId[];
  /** How many of them give their seat back and keep in Blue what it was for: Blue has them by itself from then on. */
  keptInBlue: number;
}

export function bySettings(pool: Pool, before: Settings, after: Settings, turned: Turned): Prospect {
  const unmanagedPaid = pool.usage.unmanagedPaid + turned.keptInBlue;
  const written = {
    ...pool,
    rules: { ...pool.rules, ...after },
    usage: { ...pool.usage, unmanagedPaid },
  };
  return {
    pool: written,
    affected: { ...affectedBySettings(before, after, turned.userIds), ...noticedBetween(pool, written) },
    // A batch ends with the way of settling that opened it.
    isSettling: pool.batch !== null && before.settlement !== after.settlement,
    exclusions: after.exclusions,
  };
}

function affectedBySettings(before: Settings, after: Settings, turned: readonly UserId[]): Affected {
  if (before.defaultRole !== after.defaultRole) return ofDefault(after);
  return sameJson(before.approvals, after.approvals) ? { userIds: turned } : { anybody: true };
}

/** A default role concerns everybody; its end, whoever has it. */
function ofDefault({ defaultRole }: Settings): Affected {
  return defaultRole === 'none' ? { everyone: true } : { anybody: true };
}

/** What `*` stands for concerns everybody, where it is another than before. */
export function byDefaultWorkspaces(pool: Pool, defaultWorkspaces: readonly string[]): Prospect {
  const isSame = sameJson(pool.rules.defaultWorkspaces, defaultWorkspaces);
  const rules = { ...pool.rules, defaultWorkspaces };
  return { pool: { ...pool, rules }, affected: isSame ? {} : { everyone: true } };
}

export function bySubPools(pool: Pool, subPools: readonly SubPool[]): Prospect {
  const after = { ...pool, subPools };
  return { pool: after, affected: noticedBetween(pool, after) };
}

/** Where no seats are taken for others any more, whoever was told so keeps theirs. */
function noticedBetween(before: Pool, after: Pool): Affected {
  return areSeatsTaken(before) && !areSeatsTaken(after) ? { noticed: true } : {};
}

/** As the version that follows the tenant's own would be adopted. */
export function byCatalogue(
  pool: Pool,
  roles: readonly RoleEntry[],
): Prospect & { affected: { roles: readonly RoleKey[] } } {
  const { catalogue: before } = pool.rules;
  const catalogue = catalogueOf({ version: before.version + 1, roles });
  return {
    pool: { ...pool, rules: { ...pool.rules, catalogue } },
    affected: { roles: changedRoles(before, catalogue).billing },
    rulesBefore: pool.rules,
  };
}

/** @param pin null: it is taken away. */
export function byPin(pool: Pool, userId: UserId, pin: Pin | null): Prospect {
  return { pool, affected: { userIds: [userId] }, pinned: { userId, pin } };
}
