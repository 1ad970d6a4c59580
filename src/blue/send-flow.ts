/**
 * Sends the actions of a batch, request by request. Around each request the database says that a change is under way, so
 * that a worker that dies in between leaves a doubt behind and no wrong knowledge.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { limits } from '../kernel/limits.ts';
import type { Action, Phase } from './action.ts';
import type { ActualState } from './actual-state.ts';
import { isMailed, type Window, windowAt, windowEnd, withinAllowance } from './allowance.ts';
import { afterAction, type Batch, toBatches } from './apply-actions.ts';
import { type BlueFailure, failureCode, mayHaveHappened } from './blue-failure.ts';
import type { Connection, Organization } from './connection.ts';
import { BlueTrouble } from './connection-client.ts';
import { changeAsHolder, contactAt } from './connection-store.ts';
import type { BlueSettings } from './desired-state.ts';
import { writeKnown } from './known-store.ts';
import type { MutationResult } from './mutation.ts';
import { checkGoing, type Pass } from './pass-flow.ts';
import { compare, type Person } from './people.ts';
import { acceptedEvent } from './sent-audit.ts';
import { isOfConnection, refusalDetail } from './trouble.ts';
import type { Problem } from './verdict.ts';

/** A batch of people on their way. */
export interface Work {
  connection: Connection;
  organization: Organization;
  settings: BlueSettings;
  people: readonly Person[];
  /** Kept current with every action that succeeds. */
  known: ActualState;
  window: Window;
  problems: Map<string, Problem>;
  /** Something was taken away. */
  hasFreed: boolean;
}

/**
 * Sends what a fresh comparison asks for in this phase.
 *
 * @throws BlueTrouble for what every further request would meet too, or when it is not known what happened; by then
 *   everything that is known is written. Interrupted and LeaseLost between two requests.
 */
export async function sendPhase(pass: Pass, work: Work, phase: Phase): Promise<void> {
  const now = pass.services.realClock.now();
  const { actions } = compare(work.people, work.known, work.settings, now);
  const wanted = actions.filter((one) => one.phase === phase && !work.problems.has(one.userId));
  for (const batch of toBatches(
    withoutSurplusMails(work, wanted),
    work.organization.organizationId,
    limits.blueMutationsPerRequestMax,
  )) {
    await sendBatch(pass, work, batch);
  }
}

function withoutSurplusMails(work: Work, actions: readonly Action[]): Action[] {
  const { invitationsPerHour } = work.connection;
  const most = invitationsPerHour === null ? null : invitationsPerHour - work.window.sent;
  const { allowed, heldBack } = withinAllowance(actions, work.known, most);
  const until = windowEnd(work.window);
  for (const userId of heldBack) work.problems.set(userId, { kind: 'held_back', until });
  return allowed;
}

async function sendBatch(pass: Pass, work: Work, batch: Batch): Promise<void> {
  const { services, tenantId, lease, client } = pass;
  await client.paced();
  checkGoing(pass);
  work.window = windowAt(work.window, services.realClock.now());
  const { managedWorkspaces } = work.connection;
  await inTenant(services.database, tenantId, (tx) =>
    changeAsHolder(tx, lease.holder, { sending: true, managed_workspaces: managedWorkspaces }),
  );
  const before = work.known;
  const results = await client.mutate(batch.workspace, batch.mutations);
  const now = services.realClock.now();
  const { trouble, isUnsure, audit } = note(work, batch.actions, results, now);
  await inTenant(services.database, tenantId, async (tx) => {
    await changeAsHolder(tx, lease.holder, {
      ...(trouble === undefined ? contactAt(now) : {}),
      ...(isUnsure ? { actual_read_at: null } : {}),
      sending: false,
      invitations_since: work.window.since,
      invitations_sent: work.window.sent,
    });
    writeKnown(tx, before, work.known, work.settings.isPaid);
    const actor = { kind: 'system', rule: 'sync' } as const;
    appendAudit(tx, { tenantId, actor, now: services.clock.now(), requestId: null }, audit);
  });
  if (trouble !== undefined) throw new BlueTrouble(trouble);
}

interface Noted {
  /** What ends the pass. */
  trouble: BlueFailure | undefined;
  /** Something is in doubt. */
  isUnsure: boolean;
  /** One an action that Blue accepted. */
  audit: AuditEvent[];
}

/** Takes the results into what is known. */
function note(work: Work, actions: readonly Action[], results: readonly MutationResult[], now: Date): Noted {
  let trouble: BlueFailure | undefined;
  let isUnsure = false;
  const audit: AuditEvent[] = [];
  for (const [index, action] of actions.entries()) {
    const result = results[index];
    assert(result !== undefined, 'one result for each action');
    if (result.ok) {
      if (isMailed(action, work.known)) work.window = { ...work.window, sent: work.window.sent + 1 };
      audit.push(acceptedEvent(action, work.known));
      work.known = afterAction(work.known, action, now);
      work.hasFreed ||= action.phase === 'down';
    } else if (isOfConnection(result.failure)) {
      trouble = result.failure;
    } else if (mayHaveHappened(result.failure)) {
      trouble ??= result.failure;
      isUnsure = true;
      work.problems.set(action.userId, { kind: 'unsure', detail: refusalDetail(result.failure) });
    } else {
      const [code, detail] = [failureCode(result.failure), refusalDetail(result.failure)];
      work.problems.set(action.userId, { kind: 'refused', code, detail });
    }
  }
  return { trouble, isUnsure, audit };
}
