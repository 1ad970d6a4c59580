/** One person compared with Blue: what to send and what to say. Seats are asked for through `Seats`; nothing is kept. */

import type { Action, CustomRole, Outcome, OutcomeCode, Phase } from './action.ts';
import type { ActualInvitation, ActualMember, ActualMembership, ActualState } from './actual-state.ts';
import { type BlueSettings, type DesiredPerson, type DesiredRole, nowhere } from './desired-state.ts';
import { type Level, levelRank } from './level.ts';

/** Whether the person may have a paid role now: has one, or takes a free seat by asking. */
export type Seats = () => boolean;

export interface Comparison {
  readonly person: DesiredPerson;
  readonly member: ActualMember | undefined;
  /** To the person's own address and to the one Blue knows. */
  readonly invitations: readonly ActualInvitation[];
  readonly actual: ActualState;
  readonly settings: BlueSettings;
  readonly now: Date;
  readonly seats: Seats;
}

/** Blue's validity is 7 days (Blue API docs, invite-user); renewed before it ends. */
const renewMs = 60 * 60 * 1000;

type Finding =
  | { readonly kind: 'send'; readonly action: Action }
  | { readonly kind: 'refused' | 'blocked'; readonly code: OutcomeCode; readonly workspace: string };

/** A role that Blue can hold: its workspace is there, and so is the custom role. */
interface Target {
  readonly workspace: string;
  readonly level: Level;
  readonly customRole: CustomRole | null;
  readonly paid: boolean;
}

export interface PersonDiff {
  readonly actions: readonly Action[];
  readonly outcome: Outcome;
}

export function diffPerson(comparison: Comparison): PersonDiff {
  const { person, member } = comparison;
  const findings = person.leaving ? leave(comparison) : stay(comparison);
  const actions = findings.flatMap((one) => (one.kind === 'send' ? [one.action] : []));
  const base = { userId: person.userId, blueUserId: member?.blueUserId ?? person.blueUserId };
  return { actions, outcome: { ...base, ...stateOf(comparison, findings) } };
}

/** The worst finding speaks for the person; without any, what Blue holds does. */
function stateOf(
  comparison: Comparison,
  findings: readonly Finding[],
): Omit<Outcome, 'userId' | 'blueUserId'> {
  for (const [kind, state] of [
    ['refused', 'refused'],
    ['blocked', 'waiting'],
  ] as const) {
    const problem = findings.find((one) => one.kind === kind);
    if (problem !== undefined && problem.kind !== 'send') {
      return { state, code: problem.code, detail: problem.workspace };
    }
  }
  if (findings.length > 0) return { state: 'waiting' };
  return comparison.person.leaving ? gone(comparison) : settled(comparison);
}

function gone(comparison: Comparison): Pick<Outcome, 'state' | 'code'> {
  const { person, member, settings } = comparison;
  const reads = member?.memberships.some(({ workspace }) => isManaged(comparison, workspace)) ?? false;
  if (settings.deactivation === 'view_only' && reads) return { state: 'active', code: 'VIEW_ONLY' };
  return { state: member === undefined && person.blueUserId === null ? 'none' : 'removed' };
}

function settled({ person, member }: Comparison): Pick<Outcome, 'state'> {
  if (wantedRoles(person).length === 0) return { state: 'none' };
  return { state: member === undefined ? 'invited' : 'active' };
}

function wantedRoles({ roles }: DesiredPerson): DesiredRole[] {
  return roles.filter(({ workspace }) => workspace !== nowhere);
}

/** Managed by the tenant, or by what this very person is to have, or had. */
function isManaged({ settings, person }: Comparison, workspace: string): boolean {
  return (
    settings.managedWorkspaces.has(workspace) ||
    person.given.includes(workspace) ||
    person.roles.some((role) => role.workspace === workspace)
  );
}

function leave(comparison: Comparison): Finding[] {
  const { member, settings, invitations } = comparison;
  const cancelled = invitations.map((one) => withInvitation(comparison, one, 'cancelInvitation'));
  if (member === undefined) return cancelled;
  if (settings.deactivation === 'leave_organization') {
    return [
      ...cancelled,
      send(comparison, 'down', { kind: 'removeFromOrganization', blueUserId: member.blueUserId }),
    ];
  }
  const managed = member.memberships.filter(({ workspace }) => isManaged(comparison, workspace));
  const changed = managed.flatMap((row) =>
    settings.deactivation === 'view_only'
      ? changeLevel(comparison, member, row, viewOnly(row.workspace))
      : remove(comparison, member, row),
  );
  return [...cancelled, ...changed];
}

function viewOnly(workspace: string): Target {
  return { workspace, level: 'VIEW_ONLY', customRole: null, paid: false };
}

function stay(comparison: Comparison): Finding[] {
  const { person, member, invitations } = comparison;
  const wanted = wantedRoles(person);
  const named = new Set(wanted.map(({ workspace }) => workspace));
  const surplus = (member?.memberships ?? []).filter(
    ({ workspace }) => !named.has(workspace) && isManaged(comparison, workspace),
  );
  const findings: Finding[] = surplus.flatMap((row) => (member ? remove(comparison, member, row) : []));
  for (const one of invitations) {
    const isSurplus = !named.has(one.workspace) && isManaged(comparison, one.workspace);
    if (isSurplus) findings.push(withInvitation(comparison, one, 'cancelInvitation'));
  }
  const uninvited: Target[] = [];
  for (const role of wanted) {
    const target = targetOf(comparison, role);
    if ('code' in target) findings.push({ kind: 'refused', ...target });
    else if (member !== undefined) findings.push(...joinWorkspace(comparison, member, target));
    else findings.push(...invite(comparison, target, uninvited));
  }
  return [...findings, ...inviteTogether(comparison, uninvited)];
}

function targetOf(
  { actual, settings }: Comparison,
  { workspace, level, customRole }: DesiredRole,
): Target | { code: OutcomeCode; workspace: string } {
  if (!actual.workspaces.has(workspace)) return { code: 'PROJECT_NOT_FOUND', workspace };
  const paid = settings.isPaid(level, customRole ?? null);
  if (customRole === undefined) return { workspace, level, customRole: null, paid };
  const id = actual.customRoles.get(workspace)?.get(customRole);
  if (id === undefined) return { code: 'PROJECT_USER_ROLE_NOT_FOUND', workspace };
  return { workspace, level, customRole: { id, name: customRole }, paid };
}

/** Somebody in the organization: added at once, so an invitation that is still open is in the way. */
function joinWorkspace(comparison: Comparison, member: ActualMember, target: Target): Finding[] {
  const { invitations, person } = comparison;
  const row = member.memberships.find(({ workspace }) => workspace === target.workspace);
  const open = invitations.filter(({ workspace }) => workspace === target.workspace);
  if (open.length > 0) return open.map((one) => withInvitation(comparison, one, 'cancelInvitation'));
  if (row !== undefined) return changeLevel(comparison, member, row, target);
  const address = member.address ?? person.address;
  if (address === null) return [{ kind: 'refused', code: 'NO_EMAIL', workspace: target.workspace }];
  const { workspace, level, customRole } = target;
  return give(comparison, target, { kind: 'inviteToWorkspace', address, workspace, level, customRole });
}

/** Somebody new; roles without an invitation and without a custom role are left to `uninvited`. */
function invite(comparison: Comparison, target: Target, uninvited: Target[]): Finding[] {
  const { person, invitations, now } = comparison;
  const open = invitations.filter(({ workspace }) => workspace === target.workspace);
  const match = open.find(({ level }) => level === target.level);
  const others = open.filter((one) => one !== match);
  if (others.length > 0 && mayReplace(comparison, target, others)) {
    return others.map((one) => withInvitation(comparison, one, 'cancelInvitation'));
  }
  if (others.length > 0) return [blockedBySeats(target)];
  if (match !== undefined) {
    if (match.expiresAt.getTime() - now.getTime() > renewMs) return [];
    if (target.paid && !comparison.seats()) return [blockedBySeats(target)];
    return [withInvitation(comparison, match, 'resendInvitation')];
  }
  if (target.customRole === null) {
    uninvited.push(target);
    return [];
  }
  const { workspace, level, customRole } = target;
  const address = person.address ?? '';
  return give(comparison, target, { kind: 'inviteToWorkspace', address, workspace, level, customRole });
}

/** A lower invitation is only withdrawn for a higher one when that may follow. */
function mayReplace(comparison: Comparison, target: Target, others: readonly ActualInvitation[]): boolean {
  const isLower = others.some(({ level }) => levelRank[level] > levelRank[target.level]);
  return isLower || !target.paid || comparison.seats();
}

function inviteTogether(comparison: Comparison, targets: readonly Target[]): Finding[] {
  const address = comparison.person.address ?? '';
  return [...Map.groupBy(targets, ({ level }) => level)].flatMap(([level, group]) => {
    const workspaces = group.map(({ workspace }) => workspace);
    const [first] = group;
    if (first === undefined) return [];
    return give(comparison, first, { kind: 'inviteToOrganization', address, level, workspaces });
  });
}

function changeLevel(
  comparison: Comparison,
  member: ActualMember,
  row: ActualMembership,
  target: Target,
): Finding[] {
  if (isHeld(row, target)) return [];
  if (row.level === 'OWNER') return [{ kind: 'refused', code: 'WORKSPACE_OWNER', workspace: row.workspace }];
  if (!comparison.actual.workspaces.has(row.workspace)) return [unknownWorkspace(row.workspace)];
  const { workspace, level, customRole } = target;
  const change = { kind: 'setLevel', blueUserId: member.blueUserId, workspace, level, customRole } as const;
  return isLess(comparison, row, target)
    ? [send(comparison, 'down', change)]
    : give(comparison, target, change);
}

/** A custom role only means something at MEMBER; a workspace's OWNER has all that ADMIN gives. */
function isHeld(row: ActualMembership, target: Target): boolean {
  if (row.level === 'OWNER') return target.level === 'ADMIN';
  if (row.level !== target.level) return false;
  return row.level !== 'MEMBER' || row.customRole === (target.customRole?.name ?? null);
}

/** Whether the change takes away: a seat first of all, else rank. */
function isLess({ settings }: Comparison, row: ActualMembership, target: Target): boolean {
  const paid = settings.isPaid(row.level, row.customRole);
  return paid === target.paid ? levelRank[target.level] < levelRank[row.level] : paid;
}

function remove(comparison: Comparison, member: ActualMember, row: ActualMembership): Finding[] {
  const { workspace, level } = row;
  if (level === 'OWNER') return [{ kind: 'refused', code: 'WORKSPACE_OWNER', workspace }];
  if (!comparison.actual.workspaces.has(workspace)) return [unknownWorkspace(workspace)];
  return [
    send(comparison, 'down', { kind: 'removeFromWorkspace', blueUserId: member.blueUserId, workspace }),
  ];
}

function unknownWorkspace(workspace: string): Finding {
  return { kind: 'refused', code: 'PROJECT_NOT_FOUND', workspace };
}

function blockedBySeats({ workspace }: Target): Finding {
  return { kind: 'blocked', code: 'SEATS_IN_BLUE', workspace };
}

/** Sends an up step unless it is paid and there is no seat. */
function give(comparison: Comparison, target: Target, step: Bare<Action>): Finding[] {
  if (target.paid && !comparison.seats()) return [blockedBySeats(target)];
  return [send(comparison, 'up', step)];
}

function withInvitation(
  comparison: Comparison,
  { id, workspace }: ActualInvitation,
  kind: 'cancelInvitation' | 'resendInvitation',
): Finding {
  if (id === null) return { kind: 'blocked', code: 'INVITATION_UNREAD', workspace };
  const phase = kind === 'cancelInvitation' ? 'down' : 'up';
  return send(comparison, phase, { kind, invitationId: id, workspace });
}

/** A step without whose it is and when. */
type Bare<T> = T extends Action ? Omit<T, 'userId' | 'phase'> : never;

function send({ person }: Comparison, phase: Phase, step: Bare<Action>): Finding {
  return { kind: 'send', action: { userId: person.userId, phase, ...step } };
}
