/**
 * What stands between an administrator's edit and its write: the breaker, which asks before many seats are taken away, and the
 * two-person rule, under which delicate edits wait for somebody else.
 */

import type { Administrator } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { digest } from '../kernel/digest.ts';
import { Fault } from '../kernel/fault.ts';
import { newId } from '../kernel/ids.ts';
import { type Breaker, isTripped } from '../licensing/breaker.ts';
import { countWriters } from '../tenants/credential-store.ts';
import { handOf, type Lineage } from '../tenants/lineage.ts';
import type { Settings } from '../tenants/settings.ts';
import { selectRuleSince, selectSettings } from '../tenants/settings-store.ts';
import type { Edit, Losses } from './edit.ts';
import {
  type Call,
  type Delicacy,
  type EditRequest,
  insertEditRequest,
  moveEditRequest,
  releaseAbandoned,
  selectEditRequest,
} from './edit-request-store.ts';
import { laterText } from './losses.ts';
import { outdatednessOf } from './outdated-flow.ts';
import { lockPoolRow, readPool } from './pool-store.ts';
import { lossesBy } from './preview-flow.ts';
import { replacedBy } from './replaced.ts';

export interface Gated {
  edit: Edit;
  call: Call;
  /** The key that makes the call, and whom it descends from. */
  askedBy: Lineage;
  /** The caller knows that it takes many seats away. */
  isConfirmed: boolean;
}

/**
 * Lets the edit pass, or answers the request under which it waits for a second person.
 *
 * @throws Fault `above_breaker` naming `confirm`; `conflict` naming `twoPersonRule`; whatever the edit itself would be refused for.
 */
export async function gateEdit(
  database: Database,
  door: Door & { actor: Administrator },
  { edit, call, askedBy, isConfirmed }: Gated,
): Promise<EditRequest | undefined> {
  const [settings, pool] = await inTenant(database, door.tenantId, (tx) =>
    Promise.all([selectSettings(tx), readPool(tx)]),
  );
  const { breaker, twoPersonRule } = settings;
  if (edit.op === 'settings' && edit.settings.twoPersonRule && !twoPersonRule)
    await requireSecondWriter(database, door);
  if (breaker === null && !twoPersonRule) return undefined;
  const losses = breaker === null ? none : await lossesBy(database, door, edit);
  const isAbove =
    breaker !== null && isTripped(breaker, pool.usage, { since: door.now, seats: 0 }, losses.seatsLost);
  if (!twoPersonRule) {
    if (isAbove && !isConfirmed) throw aboveBreaker(losses, breaker);
    return undefined;
  }
  const paid = (role: string) => pool.rules.catalogue.roleOf(role).billing === 'paid';
  const because = [...delicaciesOf(edit, settings, paid), ...(isAbove ? (['breaker'] as const) : [])];
  return because.length === 0 ? undefined : await ask(database, door, { edit, call, askedBy }, because);
}

/** Keys that are made once the rule stands are their makers': with one alone nobody could approve anything, nor its end. */
async function requireSecondWriter(database: Database, { tenantId, now }: Door): Promise<void> {
  if ((await countWriters(database, tenantId, now)) > 1) return;
  const text =
    'Nobody could approve an edit: make a key for whoever is to approve first (operator create, key create with role owner or admin), and turn the rule on after that.';
  throw new Fault('conflict', text, { field: 'twoPersonRule' });
}

const none: Losses = { seatsLost: 0, lostLater: 0 };

function aboveBreaker(losses: Losses, { percent, people }: Breaker): Fault {
  const line = `the breaker stands at ${percent} % of the seats in use and ${people} people`;
  const later = laterText(losses);
  const whose = `${losses.seatsLost} people${later && `, ${later}`}`;
  const text = `This takes the seats of ${whose}, and ${line}: look at its preview, then repeat it with confirm=true (\`--confirm\`).`;
  return new Fault('above_breaker', text, { field: 'confirm' });
}

/** Capacity, policy `block`, paid pins, and whatever loosens the rule itself. */
function delicaciesOf(edit: Edit, before: Settings, isPaid: (role: string) => boolean): Delicacy[] {
  switch (edit.op) {
    case 'amendment':
    case 'withdrawal':
      return ['capacity'];
    case 'contract':
      return edit.contract.policy === 'block' ? ['capacity', 'block'] : ['capacity'];
    case 'pin':
      return isPaid(edit.pin.role) ? ['pin'] : [];
    case 'import':
      return edit.people.some(({ pin }) => pin !== null && isPaid(pin.role)) ? ['pin'] : [];
    case 'adopt':
      return ['pin'];
    case 'settings':
      return loosens(before, edit.settings) ? ['rule'] : [];
    default:
      return [];
  }
}

function loosens(before: Settings, after: Settings): boolean {
  if (!after.twoPersonRule) return true;
  if (before.breaker === null) return false;
  const { breaker } = after;
  return (
    breaker === null || breaker.percent > before.breaker.percent || breaker.people > before.breaker.people
  );
}

async function ask(
  database: Database,
  door: Door & { actor: Administrator },
  { edit, call, askedBy }: Omit<Gated, 'isConfirmed'>,
  because: Delicacy[],
): Promise<EditRequest> {
  refuseSecret(call);
  const request: EditRequest = {
    ...call,
    askedBy,
    id: newId(door.now.getTime()),
    because,
    replaces: replacedBy(edit),
    actor: door.actor,
    createdAt: door.now,
    state: 'pending',
    decidedBy: null,
    decidedAt: null,
  };
  await inTenant(database, door.tenantId, async (tx) => {
    // What others write now is in the trail before the request, or after it.
    await lockPoolRow(tx);
    insertEditRequest(tx, request);
    const asked = { ...call, body: toldOf(call.body), because };
    appendAudit(tx, door, [{ action: 'edit.requested', subject: request.id, after: asked }]);
  });
  return request;
}

/** A file stands in the request alone, which the trail names: entries are kept for good, and read many at a time. */
function toldOf(body: unknown): unknown {
  return typeof body === 'string' ? { characters: body.length, sha256: digest(body) } : body;
}

/** What waits can be read by whoever may approve it, and stands in the trail. */
function refuseSecret({ body }: Call): void {
  if (typeof body !== 'object' || body === null || !('tokenSecret' in body)) return;
  const text =
    'This waits for a second person, and a secret is not kept until then: repeat it without "tokenSecret", which stays as it is.';
  throw new Fault('invalid', text, { field: 'tokenSecret' });
}

/** Who approves, with the key and whom it descends from. */
export interface Approver extends Door {
  lineage: Lineage;
}

/**
 * Approves a request: `make` makes its call, and what it answers decides whether the request is done with. Until then nobody else
 * can approve it.
 *
 * @throws Fault `not_found`; `forbidden` for whoever asked; `conflict` for one that is decided already, or outdated.
 */
export async function approveRequest<T>(
  database: Database,
  door: Approver,
  id: string,
  make: (request: EditRequest) => Promise<{ isMade: boolean; answer: T }>,
): Promise<T> {
  const request = await pendingRequest(database, door, id);
  let isMade = false;
  try {
    const made = await make(request);
    isMade = made.isMade;
    return made.answer;
  } finally {
    await finish(database, door, request, isMade);
  }
}

async function finish(database: Database, door: Door, request: EditRequest, isMade: boolean): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const known = await selectEditRequest(tx, request.id);
    // Another approval was begun since, or it was refused.
    if (known?.decidedAt?.getTime() !== door.now.getTime()) return;
    // With the edit itself, or by one that decides nothing.
    if (known.state === 'approved') appendAudit(tx, door, [{ action: 'edit.approved', subject: request.id }]);
    else if (isMade) await endApplied(tx, door, request.id, 'approved');
    // Of two that replace the same the other was faster.
    else {
      const refusal = await outdatednessOf(tx, request, door.now);
      if (refusal !== undefined) await endApplied(tx, door, request.id, 'outdated', refusal);
      else await moveEditRequest(tx, request.id, 'applying', 'pending', null);
    }
  });
}

async function endApplied(
  tx: TenantTransaction,
  door: Door,
  id: string,
  end: 'approved' | 'outdated',
  refusal?: Fault,
): Promise<void> {
  await moveEditRequest(tx, id, 'applying', end, { by: door.actor, at: door.now });
  const told = refusal === undefined ? {} : { after: { detail: refusal.message } };
  appendAudit(tx, door, [{ action: `edit.${end}`, subject: id, ...told }]);
}

/** @throws Fault `not_found`; `conflict` for one that is decided already. */
export async function refuseRequest(database: Database, door: Door, id: string): Promise<EditRequest> {
  await inTenant(database, door.tenantId, async (tx) => {
    await releaseAbandoned(tx, id, abandonedBefore(door));
    if ((await selectEditRequest(tx, id)) === undefined) throw unknownRequest(id);
    const isMoved = await moveEditRequest(tx, id, 'pending', 'refused', { by: door.actor, at: door.now });
    if (!isMoved) throw decidedAlready(id);
    appendAudit(tx, door, [{ action: 'edit.refused', subject: id }]);
  });
  return await readRequest(database, door, id);
}

/** With the edit itself its request is approved: where it is not by then the process has died, or what it does comes to nothing. */
const approvalMsMax = 5 * 60_000;

function abandonedBefore({ now }: Door): Date {
  return new Date(now.getTime() - approvalMsMax);
}

async function pendingRequest(database: Database, door: Approver, id: string): Promise<EditRequest> {
  const { request, refusal } = await inTenant(database, door.tenantId, async (tx) => {
    await releaseAbandoned(tx, id, abandonedBefore(door));
    const request = await selectEditRequest(tx, id);
    if (request === undefined) throw unknownRequest(id);
    // Where the rule ended meanwhile no key counts as another's.
    const since = (await selectRuleSince(tx)) ?? door.now;
    if (handOf(request.askedBy, since) === handOf(door.lineage, since)) throw sameHand();
    if (!(await moveEditRequest(tx, id, 'pending', 'applying', { by: door.actor, at: door.now })))
      throw decidedAlready(id, request.state);
    const refusal = await outdatednessOf(tx, request, door.now);
    if (refusal !== undefined) await endApplied(tx, door, id, 'outdated', refusal);
    return { request, refusal };
  });
  if (refusal !== undefined) throw refusal;
  return request;
}

export async function readRequest(database: Database, door: Door, id: string): Promise<EditRequest> {
  const request = await inTenant(database, door.tenantId, (tx) => selectEditRequest(tx, id));
  if (request === undefined) throw unknownRequest(id);
  return request;
}

function sameHand(): Fault {
  const text =
    'Somebody else than who asked for it must approve it; a key that was made since the rule stands counts as its maker’s.';
  return new Fault('forbidden', text);
}

function unknownRequest(id: string): Fault {
  return new Fault('not_found', `There is no edit request ${id}.`);
}

function decidedAlready(id: string, state?: EditRequest['state']): Fault {
  const what = state === 'outdated' ? 'outdated: ask again' : 'decided already, or being made';
  return new Fault('conflict', `The edit request ${id} is ${what}.`);
}
