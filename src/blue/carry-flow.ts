/** Carries one batch of marked people into Blue, and keeps what became of each. */

import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { limits } from '../kernel/limits.ts';
import { windowAt } from './allowance.ts';
import type { Connection } from './connection.ts';
import { BlueTrouble, unwrapped } from './connection-client.ts';
import { changeAsHolder } from './connection-store.ts';
import { replaceInvitationsOf } from './known-store.ts';
import { checkGoing, type Facts, loadFacts, loadKnownOf, type Pass, settingsOf } from './pass-flow.ts';
import { compare, type Person } from './people.ts';
import {
  clearMarks,
  forgetPeople,
  postponeMarks,
  selectDueMarks,
  wakeSeatless,
  writeStandings,
} from './people-store.ts';
import { sendPhase, type Work } from './send-flow.ts';
import { isNews, type Verdict, verdictOf } from './verdict.ts';

/**
 * Answers false when nobody is due. What takes away is sent before what gives, each after a comparison of its own.
 *
 * @throws BlueTrouble, Interrupted, LeaseLost as `sendPhase`.
 */
export async function carryDue(pass: Pass, connection: Connection): Promise<boolean> {
  const { organization } = connection;
  assert(organization !== null, 'Blue has been read');
  const facts = await loadDue(pass, connection);
  if (facts.everybody.length === 0) return false;
  const work: Work = {
    ...{ connection, organization, people: facts.ours, known: facts.known },
    settings: settingsOf(connection, facts),
    window: windowAt(connection.invitations, pass.services.realClock.now()),
    problems: new Map(),
    hasFreed: false,
  };
  if (connection.mode === 'observe') {
    await settle(pass, work, facts);
    return true;
  }
  if ((await readFreshInvitations(pass, work)) === 'vanished') return true;
  try {
    await sendPhase(pass, work, 'down');
    await sendPhase(pass, work, 'up');
  } catch (error) {
    // What was done before the trouble is kept, and who met it is told; those who were not reached stay marked.
    if (error instanceof BlueTrouble) await settle(pass, work, facts, error);
    throw error;
  }
  await settle(pass, work, facts);
  return true;
}

async function loadDue({ services, tenantId }: Pass, { organization }: Connection): Promise<Facts> {
  const now = services.realClock.now();
  return await inTenant(services.database, tenantId, async (tx) => {
    assert(organization !== null, 'Blue has been read');
    const ids = await selectDueMarks(tx, now, limits.bluePeoplePerBatchMax);
    return await loadFacts(tx, organization, ids, now);
  });
}

/**
 * Blue answers no id for a new invitation: where one is to be changed, the invitations of its workspace are read. One that
 * is no longer there was accepted or withdrawn: `vanished`, and all lists are read first.
 */
async function readFreshInvitations(pass: Pass, work: Work): Promise<'read' | 'vanished'> {
  const { services, tenantId, lease, client } = pass;
  const now = services.realClock.now();
  const { outcomes } = compare(work.people, work.known, work.settings, now);
  if (!outcomes.some(({ code }) => code === 'INVITATION_UNREAD')) return 'read';
  const unread = work.known.invitations.filter(({ id }) => id === null);
  for (const workspace of new Set(unread.map((one) => one.workspace))) {
    await client.paced();
    checkGoing(pass);
    const invitations = unwrapped(await client.listInvitations(workspace));
    const there = new Set(invitations.map(({ address }) => address));
    const isVanished = unread.some((one) => one.workspace === workspace && !there.has(one.address));
    await inTenant(services.database, tenantId, async (tx) => {
      await changeAsHolder(tx, lease.holder, isVanished ? { actual_read_at: null } : { sending: false });
      replaceInvitationsOf(tx, workspace, invitations, work.settings.isPaid);
    });
    if (isVanished) return 'vanished';
  }
  work.known = await inTenant(services.database, tenantId, (tx) =>
    loadKnownOf(tx, work.organization, work.people, now),
  );
  return 'read';
}

/** Writes what is known of everybody, and takes the marks of those who are done. */
async function settle(pass: Pass, work: Work, facts: Facts, trouble?: BlueTrouble): Promise<void> {
  const { services, tenantId, lease } = pass;
  const now = services.realClock.now();
  const verdicts = verdictsOf(work, now, trouble !== undefined);
  const ours = new Set(facts.ours);
  const strangers = facts.everybody.filter((person) => !ours.has(person));
  await inTenant(services.database, tenantId, async (tx) => {
    const readFirst = verdicts.some(({ verdict }) => verdict.readFirst);
    await changeAsHolder(tx, lease.holder, readFirst ? { actual_read_at: null } : { sending: false });
    writeVerdicts(tx, verdicts, now);
    clearMarks(tx, strangers.flatMap(markOf));
    if (work.hasFreed) wakeSeatless(tx);
  });
}

interface Judged {
  person: Person;
  verdict: Verdict;
}

/** @param isCutShort Only those who are done, or met a problem, are judged. */
function verdictsOf(work: Work, now: Date, isCutShort: boolean): Judged[] {
  const { people, known, problems, connection } = work;
  const { actions, outcomes } = compare(people, known, work.settings, now);
  const left = Map.groupBy(actions, ({ userId }) => userId);
  return people.flatMap((person, index) => {
    const [outcome, problem] = [outcomes[index], problems.get(person.userId)];
    assert(outcome !== undefined, 'one outcome a person');
    const own = left.get(person.userId) ?? [];
    if (isCutShort && problem === undefined && own.length > 0) return [];
    const verdict = verdictOf({
      ...{ person, outcome, problem, now, left: own },
      isObserving: connection.mode === 'observe',
      readAt: connection.readAt ?? now,
      random: Math.random(),
    });
    return [{ person, verdict }];
  });
}

function writeVerdicts(tx: TenantTransaction, verdicts: readonly Judged[], now: Date): void {
  const news = verdicts.filter(
    ({ person, verdict }) => !verdict.isForgotten && isNews(person, verdict.standing),
  );
  writeStandings(
    tx,
    news.map(({ verdict }) => verdict.standing),
    now,
  );
  forgetPeople(
    tx,
    verdicts.flatMap(({ person, verdict }) => (verdict.isForgotten ? person.userId : [])),
  );
  clearMarks(
    tx,
    verdicts.flatMap(({ person, verdict }) => (verdict.mark === 'clear' ? markOf(person) : [])),
  );
  postponeMarks(
    tx,
    verdicts.flatMap(({ person, verdict: { mark } }) =>
      mark === 'clear' ? [] : markOf(person).map((read) => ({ ...read, ...mark })),
    ),
  );
}

function markOf({ userId, mark }: Person): { userId: string; version: number }[] {
  return mark === null ? [] : [{ userId, version: mark.version }];
}
