/** Reads Blue's lists and compares everybody of ours with them: what others changed there is repaired or reported. */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { noteActivity } from '../provisioning/reclaim-flow.ts';
import { noteUnmanagedPaid } from '../provisioning/unmanaged-flow.ts';
import type { Action } from './action.ts';
import { type ActualState, indexOf } from './actual-state.ts';
import type { Connection, Organization } from './connection.ts';
import { readLists, unwrapped } from './connection-client.ts';
import { changeAsHolder, contactAt, noteRead } from './connection-store.ts';
import { replaceKnown } from './known-store.ts';
import { isPaidBy } from './level.ts';
import { checkGoing, loadFacts, type Pass, settingsOf } from './pass-flow.ts';
import { compare, type Person, type Told } from './people.ts';
import { markUnmarked, selectFolded, selectOurs, unfoldOldest, writeStandings } from './people-store.ts';
import { compareUnmanagedPaid } from './unmanaged-store.ts';
import { isNews, type Standing } from './verdict.ts';

/** @throws BlueTrouble when the lists can't be read; Interrupted, LeaseLost. */
export async function readBlue(pass: Pass, connection: Connection): Promise<void> {
  const { services, tenantId, lease, client } = pass;
  const { database, realClock } = services;
  await client.paced();
  checkGoing(pass);
  const { organization, members, invitations } = unwrapped(await readLists(client));
  const readAt = realClock.now();
  await inTenant(database, tenantId, async (tx) => {
    const actual = JSON.stringify(organization);
    // Known for good once everybody was compared with it.
    const change = { actual, actual_read_at: null, sending: false };
    await changeAsHolder(tx, lease.holder, { ...contactAt(readAt), ...change });
    replaceKnown(tx, members, invitations, isPaidBy(connection.catalogue));
  });
  await compareEverybody(pass, connection, organization);
  const change = await inTenant(database, tenantId, async (tx) => {
    await noteRead(tx, lease.holder, readAt, connection.readsAsked);
    const { ownerUserId } = organization;
    return await compareUnmanagedPaid(tx, { ownerUserId, managedWorkspaces: connection.managedWorkspaces });
  });
  const door = doorOf(pass, 'people in Blue');
  await noteUnmanagedPaid(database, door, change);
  await noteActivity(database, door);
}

function doorOf({ tenantId, services }: Pass, rule: string): Door {
  return { tenantId, actor: { kind: 'system', rule }, now: services.clock.now(), requestId: null };
}

async function compareEverybody(
  pass: Pass,
  connection: Connection,
  organization: Organization,
): Promise<void> {
  const { services, tenantId, lease } = pass;
  for (let last: UserId | null = null; ; ) {
    const after: UserId | null = last;
    checkGoing(pass);
    await unfoldMarks(pass);
    const ids = await inTenant(services.database, tenantId, async (tx) => {
      const now = services.realClock.now();
      const page = await selectOurs(tx, after, limits.bluePeopleComparedPerPage);
      const facts = await loadFacts(tx, organization, page, now);
      const { ours, known } = facts;
      // After the people were read: whose decisions were written with the marks of a batch since.
      const late = await selectFolded(tx);
      const { actions, outcomes } = compare(ours, known, settingsOf(connection, facts), now);
      const left = Map.groupBy(actions, ({ userId }) => userId);
      const findings = ours.flatMap((person, index) => {
        const outcome = outcomes[index];
        assert(outcome !== undefined, 'one outcome a person');
        if (late.has(person.userId)) return [];
        return find({ connection, known, person, outcome, steps: left.get(person.userId) ?? [] });
      });
      await changeAsHolder(tx, lease.holder, { sending: false });
      const standings = findings.flatMap(({ standing }) => standing ?? []);
      writeStandings(tx, standings, now);
      markUnmarked(
        tx,
        findings.flatMap(({ toMark }) => toMark ?? []),
        now,
      );
      appendAudit(
        tx,
        doorOf(pass, 'drift'),
        findings.flatMap(({ audit }) => audit ?? []),
      );
      return page;
    });
    last = ids.at(-1) ?? null;
    if (last === null) return;
  }
}

/** What was decided of whoever is in a batch of marks is no drift. */
async function unfoldMarks(pass: Pass): Promise<void> {
  const unfold = () => inTenant(pass.services.database, pass.tenantId, unfoldOldest);
  while ((await unfold()) > 0) checkGoing(pass);
}

interface Compared {
  connection: Connection;
  known: ActualState;
  person: Person;
  outcome: Told;
  steps: readonly Action[];
}

interface Finding {
  standing?: Standing;
  toMark?: string;
  audit?: AuditEvent;
}

function find(compared: Compared): Finding {
  const { connection, person, outcome, steps } = compared;
  const { userId, kept, mark } = person;
  const isOpen = steps.length > 0 || outcome.state === 'waiting';
  if (!isOpen || connection.mode === 'observe') {
    // Whoever is marked is told by the batch that carries them.
    if (mark !== null) return {};
    const { address, blueUserId, state, code = null, detail = null, given } = outcome;
    const standing = { userId, address, blueUserId, state, code, detail, given };
    return isNews(person, standing) ? { standing } : {};
  }
  if (mark !== null) return {};
  if (kept === null || !isDrift(compared)) return { toMark: userId };
  const audit = { action: 'blue.drift_found', subject: userId, after: steps.map(summary) };
  return connection.drift === 'repair' ? { toMark: userId, audit } : report(compared, audit);
}

/** Not a change by others: what was refused or waited before, an invitation that runs out or that was just accepted. */
function isDrift({ known, person, outcome, steps }: Compared): boolean {
  const { state, code } = person.kept ?? {};
  if (state === 'refused' || state === 'waiting') return false;
  // Blue tells no custom role of an invitation: whether it still fits is seen once the person is a member.
  const isMember = known.members.some(({ blueUserId }) => blueUserId === outcome.blueUserId);
  if (state === 'invited' && code !== 'DRIFT' && isMember) return false;
  return !steps.every(({ kind }) => kind === 'resendInvitation');
}

/** The state is that of Blue, which is left as it is. */
function report({ known, person, outcome, steps }: Compared, audit: AuditEvent): Finding {
  const { userId, address, kept } = person;
  const { byId, byAddress, invitations } = indexOf(known);
  const isMember = byId.has(outcome.blueUserId ?? '') || byAddress.has(address ?? '');
  const state = isMember ? 'active' : invitations.has(address ?? '') ? 'invited' : 'removed';
  const detail = steps.map(summary).join(', ');
  const { address: told, blueUserId, given } = outcome;
  const standing: Standing = { userId, address: told, blueUserId, state, code: 'DRIFT', detail, given };
  if (!isNews(person, standing)) return {};
  return kept?.code === 'DRIFT' && kept.detail === detail ? { standing } : { standing, audit };
}

function summary(action: Action): string {
  const workspace = 'workspace' in action ? ` ${action.workspace}` : '';
  const level = 'level' in action ? ` ${action.level}` : '';
  return `${action.kind}${workspace}${level}`;
}
