/**
 * Prints of what a decision rests on, 64 bits each, so that a database can tell by comparing numbers for whom nothing changed.
 * The print of several things is the exclusive or of theirs: it does not depend on an order, and grows by one step. Pure.
 * Whatever `desire` and `effect` read of rules and contract must be in here.
 */

import type { Terms } from '../licensing/contract.ts';
import { matching, type Person, pinAt, type Verdict } from '../licensing/desire.ts';
import { type Decision, isSeated } from '../licensing/effect.ts';
import { everyDefaultWorkspace, type Mapping, type Rules, workspacesOf } from '../licensing/mapping.ts';
import type { Pin } from '../licensing/pin.ts';

export type Print = bigint;

export function mappingPrint(mapping: Mapping, rules: Rules): Print {
  const { id, priority, role, fallbackRole, mayPreempt, subPool } = mapping;
  const approval = mapping.approval ?? rules.approvals[role];
  const where = workspacesOf(mapping, rules);
  return printOf(
    'mapping',
    id,
    priority,
    ...billed(role, rules),
    fallbackRole,
    mayPreempt,
    subPool,
    approval,
    where,
  );
}

export function pinPrint({ role, workspaces, until, reserved }: Pin, rules: Rules): Print {
  const where = workspacesOf({ workspaces: workspaces ?? [everyDefaultWorkspace] }, rules);
  return printOf('pin', ...billed(role, rules), workspaces === null, where, until, reserved);
}

/** Of a default role; undefined: there is none. */
export function defaultPrint(role: string, rules: Rules): Print | undefined {
  if (role === 'none') return undefined;
  const where = workspacesOf({ workspaces: [everyDefaultWorkspace] }, rules);
  return printOf('default', ...billed(role, rules), rules.approvals[role], where);
}

/** Of an address that an earlier person has. */
export const duplicatePrint: Print = printOf('duplicate');

/** Of a seat that was taken because it lay idle. */
export const reclaimedPrint: Print = printOf('reclaimed');

/** Of an administrator's word on the person's claim. */
export function verdictPrint({ via, isGranted }: Verdict): Print {
  return printOf('verdict', via, isGranted);
}

function billed(role: string, { catalogue }: Rules): string[] {
  return [role, catalogue.roleOf(role).billing];
}

/** What the person's wish rests on; 0: there is none. */
export function basisOf(person: Person, rules: Rules, now: Date): Print {
  if (!person.active || person.isExcluded) return 0n;
  const pin = pinAt(person, now);
  const role = person.defaultRole ?? rules.defaultRole;
  const asked = setPrint(matching(person, rules, now), rules, role, pin);
  if (asked === undefined) return 0n;
  const { isDuplicate, reclaimedAt, verdict } = person;
  const said = [
    isDuplicate ? duplicatePrint : 0n,
    reclaimedAt === null ? 0n : reclaimedPrint,
    verdict === null ? 0n : verdictPrint(verdict),
  ];
  return said.reduce((sum, print) => sum ^ print, asked);
}

/** Of whom nobody said anything but these mappings. */
export function setBasis(mappings: readonly Mapping[], rules: Rules, defaultRole: string): Print {
  return setPrint(mappings, rules, defaultRole) ?? 0n;
}

/** undefined: nothing is asked for. */
function setPrint(
  mappings: readonly Mapping[],
  rules: Rules,
  defaultRole: string,
  pin?: Pin,
): Print | undefined {
  if (mappings.length === 0 && pin === undefined) return defaultPrint(defaultRole, rules);
  const pinned = pin === undefined ? 0n : pinPrint(pin, rules);
  return mappings.reduce((sum, mapping) => sum ^ knownPrint(mapping, rules), pinned);
}

/** Rules are read once for each revision: what was printed of them stands as long as they do. */
const printed = new WeakMap<Rules, Map<Mapping, Print>>();

function knownPrint(mapping: Mapping, rules: Rules): Print {
  const known = printed.get(rules) ?? new Map<Mapping, Print>();
  printed.set(rules, known);
  const print = known.get(mapping) ?? mappingPrint(mapping, rules);
  known.set(mapping, print);
  return print;
}

/** What of the contract a decision rests on whose paid roles fall back, and one with a seat above the capacity. */
export interface TermsPrints {
  fallen: Print;
  above: Print;
  /** Paid roles stand as their fallback though there is a seat. */
  isFrozen: boolean;
}

export function termsPrints({ phase, fallbackRole, policy, graceDays }: Terms): TermsPrints {
  return {
    fallen: printOf('fallback', fallbackRole),
    above: printOf('above', policy, graceDays),
    isFrozen: phase === 'frozen',
  };
}

/** The database says the same of a stored decision: see compare-sql.ts. */
export function termsBasisOf(
  { claim, seat, refusal, approval }: Pick<Decision, 'claim' | 'seat' | 'refusal' | 'approval'>,
  { fallen, above, isFrozen }: TermsPrints,
): Print {
  if (refusal === 'SEAT_RECLAIMED' || approval === 'refused') return fallen;
  if (claim === null) return 0n;
  return (isSeated(seat) && !isFrozen ? 0n : fallen) ^ (seat === 'overage' ? above : 0n);
}

/** As a signed number, as databases have them. Mixed as MurmurHash3 does, so that texts that differ little differ in every bit. */
function printOf(...parts: unknown[]): Print {
  const text = JSON.stringify(parts);
  let [a, b] = [0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ unit, 0xc2b2ae35);
    b = (b << 17) | (b >>> 15);
  }
  const [high, low] = [mixed(a ^ (b >>> 7)), mixed(b ^ mixed(a))];
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}

function mixed(value: number): number {
  let mix = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}
