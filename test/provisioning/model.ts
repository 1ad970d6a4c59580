/**
 * The licensing rules once more, written for clarity alone: what a person's memberships ask for, which roles follow
 * from a seat, and what the contract says at an instant. Shares no code with the gateway.
 */

import type { UserId } from '../../src/kernel/ids.ts';
import type { DecisionRow, State, UserRow } from './state.ts';

export interface Wish {
  requested: DecisionRow['requested'];
  priority: number | null;
  refusal: 'DUPLICATE_EMAIL' | null;
}

const freeRoles = ['client', 'comment_only', 'view_only'];

export function isPaid(role: string): boolean {
  return !freeRoles.includes(role);
}

/** No default workspaces are set in these tests, so that `*` stands for itself. */
export function wishOf(state: State, user: UserRow): Wish {
  if (!user.active) return { requested: [], priority: null, refusal: null };
  const isIn = (groupId: string | null) =>
    state.memberships.some((row) => row.group_id === groupId && row.user_id === user.id);
  const rules = state.mappings.filter((mapping) => isIn(mapping.group_id));
  const workspaces = [...new Set(rules.flatMap((mapping) => mapping.workspaces))];
  const winners = workspaces.flatMap((workspace) => {
    const winner = rules.find((mapping) => mapping.workspaces.includes(workspace));
    return winner === undefined ? [] : [{ workspace, winner }];
  });
  const paid = winners.filter(({ winner }) => isPaid(winner.role)).map(({ winner }) => winner.priority);
  const isSecond = state.users.some(
    (other) =>
      other.active &&
      other.address !== null &&
      other.address === user.address &&
      other.address_order < user.address_order,
  );
  const isRefused = isSecond && winners.length > 0;
  return {
    requested: winners.map(({ workspace, winner }) => ({
      role: winner.role,
      workspace,
      mapping: winner.id,
      fallbackRole: winner.fallback_role,
    })),
    priority: paid.length === 0 || isRefused ? null : Math.min(...paid),
    refusal: isRefused ? 'DUPLICATE_EMAIL' : null,
  };
}

export interface ModelTerms {
  capacity: number | null;
  grants: boolean;
  policy: 'queue' | 'fallback' | 'block';
  fallbackRole: string;
}

export function termsOf({ contract, now }: State): ModelTerms {
  const today = now.toISOString().slice(0, 10);
  if (contract === undefined || today < contract.starts_on) {
    return { capacity: 0, grants: false, policy: 'queue', fallbackRole: 'view_only' };
  }
  return {
    capacity: contract.paid_seats,
    grants: today <= contract.ends_on,
    policy: contract.overage_policy,
    fallbackRole: contract.fallback_role,
  };
}

/** Seats that could be given now. */
export function idleSeats(state: State): number {
  const { capacity, grants } = termsOf(state);
  if (!grants) return 0;
  const { used, unmanaged_paid: unmanaged } = state.pool;
  return capacity === null ? Number.POSITIVE_INFINITY : Math.max(0, capacity - used - unmanaged);
}

/** `workspace role` of everything the person is to have in Blue. */
export function rolesOf(state: State, wish: Wish, seat: DecisionRow['seat']): string[] {
  if (wish.refusal !== null) return [];
  const { fallbackRole } = termsOf(state);
  return wish.requested
    .map((asked) => ({
      workspace: asked.workspace,
      role: isPaid(asked.role) && seat !== 'held' ? (asked.fallbackRole ?? fallbackRole) : asked.role,
    }))
    .filter(({ role }) => role !== 'none')
    .map(({ workspace, role }) => `${workspace} ${role}`)
    .sort();
}

export function compareQueue(a: DecisionRow, b: DecisionRow): number {
  const key = ({ priority, claimed_at, tie, user_id }: DecisionRow) =>
    [String(priority).padStart(9, '0'), claimed_at?.toISOString(), tie, user_id].join(' ');
  return key(a) < key(b) ? -1 : 1;
}

/** The whole state decided again from the tables, keeping who holds a seat: what must be stored. */
export function recompute(state: State): Map<UserId, unknown> {
  const seats = new Map(state.decisions.map((row) => [row.user_id, row.seat]));
  return new Map(
    state.users.flatMap((user): [UserId, unknown][] => {
      const wish = wishOf(state, user);
      if (wish.requested.length === 0) return [];
      const seat = wish.priority === null ? 'none' : seats.get(user.id) === 'held' ? 'held' : 'waiting';
      return [
        [user.id, { ...wish, requested: sorted(wish.requested), seat, roles: rolesOf(state, wish, seat) }],
      ];
    }),
  );
}

/** The stored decisions in the same form. */
export function stored(state: State): Map<UserId, unknown> {
  return new Map(
    state.decisions.map((row) => [
      row.user_id,
      {
        requested: sorted(row.requested),
        priority: row.priority,
        refusal: row.refusal,
        seat: row.seat,
        roles: row.effective.map(({ workspace, role }) => `${workspace} ${role}`).sort(),
      },
    ]),
  );
}

function sorted(requested: DecisionRow['requested']): DecisionRow['requested'] {
  return requested
    .map(({ role, workspace, mapping, fallbackRole }) => ({ role, workspace, mapping, fallbackRole }))
    .sort((a, b) => (a.workspace < b.workspace ? -1 : 1));
}
