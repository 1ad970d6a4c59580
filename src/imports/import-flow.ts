/**
 * Files of people that administrators import. A file is kept with what it is to do; its rows are carried out some at a time,
 * so that nobody waits long for the seat pool, and seats are given once all of them are written, in the order of their claims.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, isOfData, type TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { newId, type TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Preview } from '../provisioning/edit.ts';
import type { Refused, Taken } from '../provisioning/intake.ts';
import {
  finishIntake,
  intakeProspect,
  lockForIntake,
  markIntake,
  takeIn,
} from '../provisioning/intake-flow.ts';
import { approveWithEdit } from '../provisioning/outdated-flow.ts';
import { lockPoolRow, readPool } from '../provisioning/pool-store.ts';
import { previewEdit, previewProspect } from '../provisioning/preview-flow.ts';
import {
  type CountedImport,
  countOpenImports,
  endImport,
  findOpenImports,
  insertImport,
  type NewRow,
  noteMarked,
  type RowResult,
  selectImport,
  selectNextRows,
  selectOpenImport,
  selectWritten,
  writeResults,
} from './import-store.ts';
import { type PeopleFile, peopleOf } from './people-file.ts';

/** Keeps what the file would do, and does nothing of it. */
export async function rehearseImport(database: Database, door: Door, file: PeopleFile): Promise<string> {
  const people = peopleOf(file);
  const { preview, taken, duplicates } = await inTenant(database, door.tenantId, async (tx) => {
    const pool = await readPool(tx);
    const prospect = await intakeProspect(tx, door, pool, people);
    const edit = { op: 'import', people } as const;
    return { ...prospect, preview: await previewProspect(tx, door, { edit, pool, prospect }, everybody) };
  });
  const seatOf = new Map(preview.people.map(({ id, after }) => [id, after.seat]));
  const takenOf = new Map(people.map(({ id }, at) => [id, taken[at]]));
  const rows = file.rows.map(({ line, cells, intake }): NewRow => {
    const one = 'outcome' in intake ? intake : takenOf.get(intake.id);
    assert(one !== undefined, 'each of the people is taken or refused');
    const result = resultOf(one);
    const seat = (result.userId && seatOf.get(result.userId)) ?? (one.outcome === 'created' ? 'none' : null);
    const isDuplicate = one.outcome !== 'refused' && duplicates.has(one.userId);
    const detail = isDuplicate ? duplicateText : result.detail;
    return { line, cells, intake: null, result: { ...result, detail, seat } };
  });
  return await keep(database, door, file, rows, { preview, isDryRun: true });
}

const duplicateText =
  'Another person has this address, and so this one gets nothing in Blue (DUPLICATE_EMAIL): if they are the same, name them by the userName of the other.';

/**
 * Keeps the file and carries out its first rows; with the rest `carryOutImports` goes on.
 *
 * @throws Fault `conflict` where too many files wait, or where it was approved, and the request was decided otherwise meanwhile.
 */
export async function importPeople(database: Database, door: Door, file: PeopleFile): Promise<string> {
  const edit = { op: 'import', people: peopleOf(file) } as const;
  const preview = await previewEdit(database, door, edit, nobody);
  const rows = file.rows.map(({ line, cells, intake }): NewRow => {
    return 'outcome' in intake
      ? { line, cells, intake: null, result: resultOf(intake) }
      : { line, cells, intake, result: null };
  });
  const id = await keep(database, door, file, rows, { preview, isDryRun: false });
  const context: Context = { database, tenantId: door.tenantId, now: () => door.now, isOver: () => false };
  for (let parts = 0; parts < partsBeforeAnswer; parts += 1) {
    // It is kept: what fails here is carried out later.
    if ((await carryOutPart(context).catch(() => 'last')) !== 'more') break;
  }
  return id;
}

/** So that whoever imports a few people is answered what has become of them. */
const partsBeforeAnswer = 10;

/** Who is named by a preview: of a dry run all whom it concerns, which may be more people than the file has. */
const everybody = { after: '', limit: Number.POSITIVE_INFINITY };
const nobody = { after: '', limit: 0 };

async function keep(
  database: Database,
  door: Door,
  { columns }: PeopleFile,
  rows: readonly NewRow[],
  { preview, isDryRun }: { preview: Preview; isDryRun: boolean },
): Promise<string> {
  const { gained, lost, changed, queued, needed, available, seats } = preview;
  const plan = { gained, lost, changed, queued, needed, available, seats };
  const { now: createdAt, actor, requestId } = door;
  const id = newId<string>(createdAt.getTime());
  await inTenant(database, door.tenantId, async (tx) => {
    if (!isDryRun && (await countOpenImports(tx)) >= limits.importsOpenMax) throw tooManyOpen();
    if (door.approval !== undefined) {
      await lockPoolRow(tx);
      await approveWithEdit(tx, door, door.approval);
    }
    insertImport(tx, { id, createdAt, actor, requestId, isDryRun, columns, plan, rows });
    if (!isDryRun)
      appendAudit(tx, door, [{ action: 'import.started', subject: id, after: { rows: rows.length } }]);
  });
  return id;
}

function tooManyOpen(): Fault {
  const text = `${limits.importsOpenMax} files of this tenant are still to be carried out: send this one when some of them are done.`;
  return new Fault('conflict', text);
}

/**
 * Carries out what is open, of each tenant one import after the other. The tenants take turns, so that nobody waits until all of somebody
 * else's files are done. Answers of how many tenants.
 *
 * @throws AggregateError of the tenants for which it failed, after the others were looked at.
 */
export async function carryOutImports(
  database: Database,
  now: () => Date,
  isOver: () => boolean = () => false,
): Promise<number> {
  const carried = new Set<TenantId>();
  const failures = new Map<TenantId, unknown>();
  let tenants: TenantId[];
  do {
    const open = await findOpenImports(database, tenantsPerLook);
    tenants = open.filter((tenantId) => !failures.has(tenantId));
    for (const tenantId of tenants) {
      carried.add(tenantId);
      const context: Context = { database, tenantId, now, isOver };
      await carryOutSome(context).catch((error: unknown) => failures.set(tenantId, error));
    }
  } while (tenants.length > 0 && !isOver());
  if (failures.size > 0) {
    // An import of theirs may fail for good, and those behind it wait.
    const named = [...failures.keys()].slice(0, tenantsNamed).join(', ');
    const text = `imports of ${failures.size} of ${carried.size} tenants failed: ${named}`;
    throw new AggregateError(failures.values(), text);
  }
  return carried.size;
}

const tenantsPerLook = 100;
/** Of those for which it failed. */
const tenantsNamed = 10;
const partsPerTurn = 10;

interface Context extends Pick<Door, 'tenantId'> {
  database: Database;
  now: () => Date;
  isOver: () => boolean;
}

async function carryOutSome(context: Context): Promise<void> {
  for (let parts = 0; parts < partsPerTurn && !context.isOver(); parts += 1) {
    if ((await carryOutPart(context)) === 'nothing') return;
  }
}

type Part = 'more' | 'last' | 'nothing';

/**
 * Somebody else may make a person of the same name just then: the next try finds them. A row that the database takes by no means is
 * refused, so that those behind it are carried out: it is found by taking one at a time.
 */
async function carryOutPart(context: Context): Promise<Part> {
  const { database, tenantId } = context;
  let failure: unknown;
  for (const how of ['rows', 'rows', 'row', 'noRow'] as const) {
    try {
      const { part, door, id } = await inTenant(database, tenantId, (tx) => takePart(tx, context, how));
      // Only now everybody in it is decided for.
      if (part === 'last') await inTenant(database, tenantId, (tx) => end(tx, door, id));
      return part;
    } catch (error) {
      if (!isOfData(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function takePart(tx: TenantTransaction, { tenantId, now }: Context, how: 'rows' | 'row' | 'noRow') {
  const pool = await lockForIntake(tx);
  const one = await selectOpenImport(tx);
  const door: Door = {
    tenantId,
    actor: one?.actor ?? { kind: 'system', rule: 'import' },
    now: now(),
    requestId: one?.requestId ?? null,
  };
  if (one === undefined) return { part: 'nothing' as Part, door, id: '' };
  const most = how === 'rows' ? limits.importRowsPerPart : 1;
  const rows = await selectNextRows(tx, one, most);
  const readable = rows.flatMap(({ line, intake }) => (intake === null ? [] : [{ line, intake }]));
  const people = readable.map(({ intake }) => intake);
  const { taken, pool: left } =
    how === 'noRow'
      ? { taken: people.map(() => failed), pool }
      : await takeIn(tx, door, pool, people, `import ${one.id}`);
  const results = taken.map((result, at) => ({ line: readable[at]?.line ?? 0, ...resultOf(result) }));
  writeResults(tx, one.id, rows.at(-1)?.line ?? one.lineDone, results);
  const isLast = rows.length < most;
  if (isLast) {
    // Where another process came to the end already, only that is waited for.
    if (!one.isMarked) markIntake(tx, door, left, await selectWritten(tx, one.id));
    noteMarked(tx, one.id);
    finishIntake(tx, door);
  }
  return { part: (isLast ? 'last' : 'more') as Part, door, id: one.id };
}

const failed: Refused = {
  outcome: 'refused',
  userId: null,
  code: 'failed',
  detail: 'The database takes this row by no means: change its values, and import it again.',
};

async function end(tx: TenantTransaction, door: Door, id: string): Promise<void> {
  if (!(await endImport(tx, id, door.now))) return;
  const { counts } = await readImport(tx, id);
  const event: AuditEvent = { action: 'import.done', subject: id, after: counts };
  appendAudit(tx, door, [event]);
}

function resultOf(taken: Taken): RowResult {
  const { outcome, userId } = taken;
  if (outcome === 'refused') return { outcome, userId, code: taken.code, detail: taken.detail, seat: null };
  return { outcome, userId, code: null, detail: null, seat: null };
}

/** @throws Fault `not_found`. */
export async function readImport(tx: TenantTransaction, id: string): Promise<CountedImport> {
  const one = await selectImport(tx, id);
  if (one === undefined) throw new Fault('not_found', `There is no import ${id}.`);
  return one;
}
