/**
 * The licensing rules once more, written for clarity alone: what a person's memberships ask for, which roles follow
 * from a seat, and what the contract says at an instant. Shares no code with the gateway.
 */

import type { UserId } from '../../src/kernel/ids.ts';
import type { DecisionRow, MappingRow, State, UserRow } from './state.ts';

export interface Wish {
  requested: DecisionRow['requested'];
  priority: number | null;
  refusal: 'DUPLICATE_EMAIL' | 'SEAT_RECLAIMED' | null;
  /** Somebody refused the claim. */
  isRejected: boolean;
  /** Of the mapping that gives the priority. */
  subPool: string | null;
}

const freeRoles = ['client', 'comment_only', 'view_only'];
const nothing: Wish = { requested: [], priority: null, refusal: null, isRejected: false, subPool: null };

export function isPaid(role: string): boolean {
  return !freeRoles.includes(role);
}

/** The mappings that hold now and name the person, best first. */
export function rulesOf(state: State, user: UserRow): MappingRow[] {
  const { now, memberships } = state;
  return state.mappings.filter((mapping) => {
    const isEarly = mapping.valid_from !== null && now < mapping.valid_from;
    const isLate = mapping.valid_until !== null && mapping.valid_until <= now;
    if (isEarly || isLate) return false;
    if (mapping.role_value !== null) return user.role_values.includes(mapping.role_value);
    if (mapping.claim_value !== null) return user.claim_values.includes(mapping.claim_value);
    return memberships.some((row) => row.group_id === mapping.group_id && row.user_id === user.id);
  });
}

/** No default workspaces are set in these tests, so that `*` stands for itself. */
export function wishOf(state: State, user: UserRow): Wish {
  const names = [user.user_name_key, user.address];
  if (!user.active || names.some((name) => name !== null && state.settings.exclusions.includes(name)))
    return nothing;
  const asked = askedBy(state, user);
  if (asked.length === 0) return nothing;
  const requested = asked.map(({ priority: _, subPool: __, ...role }) => role);
  const isSecond = state.users.some(
    (other) =>
      other.active &&
      other.address !== null &&
      other.address === user.address &&
      other.address_order < user.address_order,
  );
  if (isSecond) return { ...nothing, requested, refusal: 'DUPLICATE_EMAIL' };
  const best = bestOf(asked);
  const isPinned = best?.via === 'PIN';
  if (best !== undefined && !isPinned && state.reclaimed.has(user.id))
    return { ...nothing, requested, refusal: 'SEAT_RECLAIMED' };
  if (best !== undefined && !isPinned && wordOf(state, user, best) === false)
    return { ...nothing, requested, isRejected: true };
  return { ...nothing, requested, priority: best?.priority ?? null, subPool: best?.subPool ?? null };
}

function bestOf(asked: readonly Asked[]): Asked | undefined {
  return asked.filter(({ role }) => isPaid(role)).sort((a, b) => a.priority - b.priority)[0];
}

/** What somebody said of the claim by this rule; undefined: nothing. */
function wordOf({ verdicts }: State, user: UserRow, { via }: Asked): boolean | undefined {
  return verdicts.find((one) => one.user_id === user.id && one.via === via)?.is_granted;
}

/** Whether somebody may have to give the person's seat. */
export function isAsked(state: State, user: UserRow): boolean {
  const best = bestOf(askedBy(state, user));
  if (best === undefined || best.via === 'PIN' || wordOf(state, user, best) === true) return false;
  const rule = state.mappings.find(({ id }) => best.via === `MAPPING:${id}`);
  return (rule?.approval ?? state.settings.approvals[best.role] ?? 'automatic') !== 'automatic';
}

type Asked = DecisionRow['requested'][number] & { priority: number; subPool: string | null };

function askedBy(state: State, user: UserRow): Asked[] {
  const rules = rulesOf(state, user);
  const workspaces = [...new Set(rules.flatMap((mapping) => mapping.workspaces))];
  const pin = state.pins.find(
    (one) => one.user_id === user.id && (one.until === null || state.now < one.until),
  );
  if (pin !== undefined) {
    const where = pin.workspaces ?? (workspaces.length > 0 ? workspaces : ['*']);
    return where.map((workspace) => ({
      role: pin.role,
      workspace,
      via: 'PIN',
      fallbackRole: null,
      priority: 0,
      subPool: null,
    }));
  }
  const role = user.default_role ?? state.settings.default_role;
  if (rules.length === 0) {
    const priority = 1_000_000_000;
    const none = { role, workspace: '*', via: 'DEFAULT', fallbackRole: null, priority, subPool: null };
    return role === 'none' ? [] : [none];
  }
  return workspaces.flatMap((workspace) => {
    const winner = rules.find((mapping) => mapping.workspaces.includes(workspace));
    if (winner === undefined) return [];
    const { priority, fallback_role: fallbackRole, sub_pool: subPool } = winner;
    return [{ role: winner.role, workspace, via: `MAPPING:${winner.id}`, fallbackRole, priority, subPool }];
  });
}

export interface ModelTerms {
  capacity: number | null;
  /** Seats above it. */
  allowance: number;
  grants: boolean;
  frozen: boolean;
  graceDays: number;
  policy: 'queue' | 'fallback' | 'grace' | 'allow' | 'block';
  fallbackRole: string;
}

export function termsOf({ contract, lines, now }: State): ModelTerms {
  const today = now.toISOString().slice(0, 10);
  if (contract === undefined || today < contract.starts_on) {
    const rest = { grants: false, frozen: false, policy: 'queue', fallbackRole: 'view_only' } as const;
    return { capacity: 0, allowance: 0, graceDays: 0, ...rest };
  }
  const inForce = lines.filter(
    (line) => line.effective_on <= today && (line.ends_on === null || today <= line.ends_on),
  );
  const endsOn =
    inForce.findLast((line) => line.contract_ends_on !== null)?.contract_ends_on ?? contract.ends_on;
  const total = inForce.findLast((line) => line.kind === 'amendment' && line.sets_seats);
  const base = total === undefined ? contract.paid_seats : total.paid_seats;
  const more = inForce.filter(({ kind }) => kind !== 'amendment').map((line) => line.paid_seats ?? 0);
  const capacity = base === null ? null : more.reduce((sum, seats) => sum + seats, base);
  const { overage_policy: policy, allowance_percent: percent, grace_days: graceDays } = contract;
  const givesAbove = policy === 'allow' || (policy === 'grace' && (graceDays ?? 0) > 0);
  const isAbove = capacity !== null && givesAbove;
  return {
    capacity,
    allowance: isAbove ? Math.floor((capacity * (percent ?? 0)) / 100) : 0,
    grants: today <= endsOn,
    frozen: contract.kind === 'evaluation' && today > addDays(endsOn, contract.evaluation_grace_days),
    graceDays: graceDays ?? 0,
    policy,
    fallbackRole: contract.fallback_role,
  };
}

/** Of whom the time above the capacity is over. */
export function isPastGrace(state: State, { overage_since: since }: DecisionRow): boolean {
  const { policy, graceDays } = termsOf(state);
  return (
    policy === 'grace' && since !== null && state.now.getTime() - since.getTime() >= graceDays * 86_400_000
  );
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Seats that could be given now: within the capacity, and above it. */
export function idleSeats(state: State): { within: number; above: number } {
  const { capacity, allowance, grants } = termsOf(state);
  if (!grants || state.pool.batch_opened_at !== null) return { within: 0, above: 0 };
  if (capacity === null) return { within: Number.POSITIVE_INFINITY, above: 0 };
  const { used, overage, unmanaged_paid: unmanaged } = state.pool;
  const within = Math.max(0, capacity - (used - overage) - unmanaged);
  return { within, above: Math.max(0, capacity + allowance - used - unmanaged - within) };
}

export interface ModelShare {
  name: string | null;
  seats: number;
  limit: number;
  used: number;
}

/** Each sub-pool, and the rest, as the decisions use them. */
export function sharesOf(state: State): ModelShare[] {
  const { sub_pools: named, decisions, pool } = state;
  if (named.length === 0) return [];
  const { capacity } = termsOf(state);
  const usedBy = (name: string | null) =>
    decisions.filter((row) => row.sub_pool === name && ['held', 'overage', 'hold'].includes(row.seat)).length;
  const promised = named.reduce((sum, { seats }) => sum + seats, 0);
  const limit = Number.POSITIVE_INFINITY;
  const seats = capacity === null ? limit : Math.max(0, capacity - promised);
  return [
    ...named.map((one) => ({
      ...{ name: one.name, seats: one.seats, used: usedBy(one.name) },
      limit: one.borrow_limit === null ? limit : one.seats + one.borrow_limit,
    })),
    { name: null, seats, limit, used: usedBy(null) + pool.unmanaged_paid },
  ];
}

/** `workspace role` of everything the person is to have in Blue. */
export function rolesOf(state: State, wish: Wish, seat: DecisionRow['seat']): string[] {
  if (wish.refusal === 'DUPLICATE_EMAIL') return [];
  const { fallbackRole, frozen } = termsOf(state);
  const hasSeat = (seat === 'held' || seat === 'overage') && !frozen;
  return wish.requested
    .map((asked) => ({
      workspace: asked.workspace,
      role: isPaid(asked.role) && !hasSeat ? (asked.fallbackRole ?? fallbackRole) : asked.role,
    }))
    .filter(({ role }) => role !== 'none')
    .map(({ workspace, role }) => `${workspace} ${role}`)
    .sort();
}

export function compareQueue(state: State) {
  const isStrict = state.settings.seat_order === 'strict';
  const key = ({ priority, claimed_at, tie, user_id }: DecisionRow) =>
    [String(priority).padStart(12, '0'), isStrict ? '' : claimed_at?.toISOString(), tie, user_id].join(' ');
  return (a: DecisionRow, b: DecisionRow) => (key(a) < key(b) ? -1 : 1);
}

/** The whole state but who is staged, decided again from the tables, keeping who has a seat or a kept place: what must be stored. */
export function recompute(state: State): Map<UserId, unknown> {
  const rows = new Map(state.decisions.map((row) => [row.user_id, row]));
  return new Map(
    state.users.flatMap((user): [UserId, unknown][] => {
      if (state.staged.has(user.id)) return [];
      const wish = wishOf(state, user);
      const row = rows.get(user.id);
      const isKept =
        wish.priority === null && user.active && row?.kept_until != null && state.now < row.kept_until;
      if (wish.requested.length === 0 && !isKept) return [];
      const seat = seatOf(wish, row, isKept);
      return [
        [user.id, { ...wish, requested: sorted(wish.requested), seat, roles: rolesOf(state, wish, seat) }],
      ];
    }),
  );
}

function seatOf(wish: Wish, row: DecisionRow | undefined, isKept: boolean): DecisionRow['seat'] {
  if (wish.priority === null) return isKept && row?.seat === 'hold' ? 'hold' : 'none';
  return row?.seat === 'held' || row?.seat === 'overage' ? row.seat : 'waiting';
}

/** The stored decisions in the same form. */
export function stored(state: State): Map<UserId, unknown> {
  return new Map(
    state.decisions
      .filter((row) => !state.staged.has(row.user_id))
      .map((row) => [
        row.user_id,
        {
          isRejected: row.approval === 'refused',
          requested: sorted(row.requested),
          priority: row.priority,
          refusal: row.refusal,
          subPool: row.priority === null ? null : row.sub_pool,
          seat: row.seat,
          roles: row.effective.map(({ workspace, role }) => `${workspace} ${role}`).sort(),
        },
      ]),
  );
}

function sorted(requested: DecisionRow['requested']): DecisionRow['requested'] {
  return requested
    .map(({ role, workspace, via, fallbackRole }) => ({ role, workspace, via, fallbackRole }))
    .sort((a, b) => (a.workspace < b.workspace ? -1 : 1));
}
