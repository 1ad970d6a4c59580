/** Why a person has these roles and this seat, and what would change it: for admins, in codes and in one sentence. */

import type { GroupId, MappingId, UserId } from '../kernel/ids.ts';
import { roleOf } from './catalogue.ts';
import type { Terms } from './contract.ts';
import { matching } from './desire.ts';
import type { Decision, SeatView } from './effect.ts';
import { type Mapping, type Rules, workspacesOf } from './mapping.ts';

export interface ExplainFacts {
  name: string;
  active: boolean;
  groups: readonly { id: GroupId; displayName: string }[];
  rules: Rules;
  terms: Terms;
  /** Seats that are held, and paid people the gateway did not make. */
  used: number;
  decision: Decision | null;
  seat: SeatView;
  /** Place among those who wait, from 1, under every policy; null: the person does not wait. */
  place: number | null;
  /** Those who are served before this person, in order; of a long queue its head. */
  ahead: readonly { id: UserId; userName: string }[];
}

/** A mapping that the person's groups lead to. */
export interface Rule {
  mapping: MappingId;
  group: string;
  role: string;
  /** Where it wins, or would. */
  workspace: string;
  priority: number;
}

export interface Explanation {
  /** Reason codes, the deciding one first. */
  reasons: string[];
  winner: Rule | null;
  losers: (Rule & { because: string })[];
  /** Manual overrides do not exist yet. */
  pin: null;
  queue: { position: number | null; ahead: { id: UserId; userName: string }[] };
  smallestChange: string | null;
  sentence: string;
}

export function explain(facts: ExplainFacts): Explanation {
  const rules = rulesOf(facts);
  const won = rules.filter(({ isWinner }) => isWinner);
  const best = won.find(({ rule }) => roleOf(rule.role).billing === 'paid') ?? won[0];
  return {
    reasons: reasonsOf(facts),
    winner: best?.rule ?? null,
    losers: rules.flatMap(({ rule, because }) => (because === null ? [] : [{ ...rule, because }])),
    pin: null,
    queue: { position: facts.seat.position, ahead: [...facts.ahead] },
    smallestChange: smallestChange(facts),
    sentence: sentenceOf(facts, best?.rule),
  };
}

interface Judged {
  rule: Rule;
  isWinner: boolean;
  /** Why it does not win; null when it does. */
  because: string | null;
}

/** Each matching mapping in each of its workspaces, best priority first. */
function rulesOf({ groups, rules, active }: ExplainFacts): Judged[] {
  const names = new Map(groups.map(({ id, displayName }) => [id, displayName]));
  const taken = new Map<string, number>();
  const ids = new Set(names.keys());
  return matching({ groups: ids }, rules).flatMap((mapping) =>
    workspacesOf(mapping, rules).map((workspace) => {
      const rule = toRule(mapping, workspace, names);
      if (!active) return { rule, isWinner: false, because: 'the person is inactive' };
      const winner = taken.get(workspace);
      if (winner === undefined) taken.set(workspace, mapping.priority);
      const because =
        winner === undefined ? null : `priority ${winner} wins in this workspace over ${mapping.priority}`;
      return { rule, isWinner: because === null, because };
    }),
  );
}

function toRule(mapping: Mapping, workspace: string, names: ReadonlyMap<GroupId, string>): Rule {
  const group = mapping.groupId === null ? '' : (names.get(mapping.groupId) ?? '');
  return { mapping: mapping.id, group, role: mapping.role, workspace, priority: mapping.priority };
}

function reasonsOf({ active, decision, seat }: ExplainFacts): string[] {
  if (!active) return ['INACTIVE'];
  if (decision === null) return [];
  const fallbacks = decision.effective
    .filter(({ via }) => via.startsWith('FALLBACK:'))
    .map(({ role }) => `FALLBACK:${role}`);
  const mappings = decision.requested.map(({ mapping }) => `MAPPING:${mapping}`);
  return [...new Set([...(seat.reason === null ? [] : [seat.reason]), ...mappings, ...fallbacks])];
}

function smallestChange({ active, decision, terms, used, place, groups }: ExplainFacts): string | null {
  if (!active) return 'Activate the person in the identity provider.';
  if (decision === null) {
    return groups.length === 0
      ? 'Put the person into a mapped group.'
      : `Map one of the person's groups: ${listOf(groups.map(({ displayName }) => `"${displayName}"`))}.`;
  }
  if (decision.refusal !== null) return 'Give one of the two people another e-mail address.';
  if (decision.seat === 'held' && terms.phase === 'frozen')
    return 'A contract: it restores what the evaluation had.';
  if (decision.seat !== 'waiting' || place === null) return null;
  if (!terms.grants) return 'A contract that is in force today.';
  return terms.capacity === null ? null : seatsWanting(used - terms.capacity, place);
}

/**
 * @param excess Seats used above the capacity, which a smaller contract or people whom Blue has by itself leave:
 *   nobody is served before they are made up for. Below zero: seats that are free.
 */
function seatsWanting(excess: number, place: number): string | null {
  const [asTheQueueIs, atItsHead] = [excess + place, excess + 1];
  if (asTheQueueIs <= 0) return null;
  const seats = asTheQueueIs === 1 ? 'One more seat' : `${asTheQueueIs} more seats`;
  if (place === 1 || atItsHead <= 0) return `${seats}.`;
  return `${seats}, or ${atItsHead === 1 ? 'one' : atItsHead} and a mapping of better priority than those ahead.`;
}

function sentenceOf(facts: ExplainFacts, winner: Rule | undefined): string {
  const { name, active, groups, decision, seat, terms, used } = facts;
  if (!active) return `${name} is inactive, and so has no role and no seat.`;
  if (decision === null || winner === undefined) {
    return groups.length === 0
      ? `${name} is in no group, so that nothing is asked for.`
      : `${name} is in ${listOf(groups.map(({ displayName }) => displayName))}, which no mapping names.`;
  }
  const asks = `${winner.group} asks for ${winner.role} (priority ${winner.priority})`;
  if (decision.refusal !== null) return `${asks}, but another active person has the same e-mail address.`;
  if (decision.seat === 'none') return `${asks}, a free role that needs no seat.`;
  if (decision.seat === 'held') return `${asks}, and ${name} ${heldUntil(facts)}.`;
  const full = terms.grants
    ? `${used} of ${terms.capacity ?? 'unlimited'} seats are taken`
    : 'no contract is in force that gives seats';
  const meanwhile = decision.effective.find(({ via }) => via.startsWith('FALLBACK:'))?.role;
  const place = seat.position === null ? 'waits' : `is number ${seat.position} in the queue`;
  const role = meanwhile === undefined ? 'has no role' : `has ${meanwhile}`;
  return `${asks}, but ${full}: ${name} ${place} and ${role} meanwhile.`;
}

function heldUntil({ terms, decision }: ExplainFacts): string {
  if (terms.graceUntil !== null) {
    return `holds a seat until ${terms.graceUntil.toISOString()}, when the grace of the evaluation is over`;
  }
  if (terms.phase !== 'frozen') return 'holds a seat';
  const meanwhile = decision?.effective.find(({ via }) => via.startsWith('FALLBACK:'))?.role;
  return `keeps a seat, but the evaluation is over: ${meanwhile ?? 'no role'} until a contract is signed`;
}

/** Names that one sentence holds; of more it tells how many. */
const namesMax = 5;

function listOf(names: readonly string[]): string {
  const shown =
    names.length > namesMax
      ? [...names.slice(0, namesMax - 1), `${names.length - namesMax + 1} more`]
      : [...names];
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
