/** Rows of imports: files of people, what each row says, and what has become of it. */

import { type RawBuilder, sql } from 'kysely';
import type { Actor } from '../audit/audit-event.ts';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { SeatView } from '../licensing/effect.ts';
import type { Preview } from '../provisioning/edit.ts';
import type { Intake, RefusalCode, Taken } from '../provisioning/intake.ts';

export type ImportOutcome = Taken['outcome'];

/** What the file was to do when it was sent. */
export type ImportPlan = Pick<
  Preview,
  'gained' | 'lost' | 'changed' | 'queued' | 'needed' | 'available' | 'seats'
>;

export interface NewImport {
  id: string;
  createdAt: Date;
  actor: Actor;
  requestId: string | null;
  isDryRun: boolean;
  columns: readonly string[];
  plan: ImportPlan;
  rows: readonly NewRow[];
}

export interface NewRow {
  line: number;
  cells: readonly string[];
  /** null: it can't be read. */
  intake: Intake | null;
  /** null: it is still to be carried out. */
  result: RowResult | null;
}

export interface RowResult {
  outcome: ImportOutcome;
  userId: UserId | null;
  code: RefusalCode | null;
  detail: string | null;
  /** Of a dry run: the seat that the person would have; null: as it is. */
  seat: SeatView['state'] | null;
}

export interface Import extends Omit<NewImport, 'rows'> {
  /** null: some rows are still to be carried out. */
  doneAt: Date | null;
  lineDone: number;
  /** All rows are carried out, and everybody in it is marked to be decided for. */
  isMarked: boolean;
}

/** With how many rows there are, and what has become of them. */
export interface CountedImport extends Import {
  rows: number;
  counts: Record<ImportOutcome, number>;
}

/** Sends it, and forgets the oldest of more than are kept. */
export function insertImport(tx: TenantTransaction, one: NewImport): void {
  const { id, createdAt, actor, requestId, isDryRun, columns, plan, rows } = one;
  tx.send(
    db.insertInto('imports').values({
      tenant_id: tx.tenantId,
      id,
      created_at: createdAt,
      actor: JSON.stringify(actor),
      request_id: requestId,
      dry_run: isDryRun,
      columns: [...columns],
      plan: JSON.stringify(plan),
      done_at: isDryRun ? createdAt : null,
    }),
  );
  tx.send(sql`
    insert into import_rows (tenant_id, import_id, line, cells, intake, outcome, code, detail, user_id, seat)
    select ${tx.tenantId}, ${id}, r.line, r.cells, r.intake, r.result ->> 'outcome', r.result ->> 'code', r.result ->> 'detail',
      (r.result ->> 'userId')::uuid, r.result ->> 'seat'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (line integer, cells text[], intake jsonb, result jsonb)
  `);
  tx.send(sql`
    delete from imports where tenant_id = ${tx.tenantId} and done_at is not null and id in (
      select id from imports where tenant_id = ${tx.tenantId} order by id desc offset ${limits.importsKept})
  `);
}

/** Tenants of which an import is to be carried out. */
export async function findOpenImports(database: Database, most: number): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_open_imports(${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

interface ImportRow {
  id: string;
  created_at: Date;
  actor: Actor;
  request_id: string | null;
  dry_run: boolean;
  columns: string[];
  plan: ImportPlan;
  line_done: number;
  marked: boolean;
  done_at: Date | null;
}

const importColumns = sql`i.id, i.created_at, i.actor, i.request_id, i.dry_run, i.columns, i.plan, i.line_done, i.marked, i.done_at`;

function toImport(row: ImportRow): Import {
  return {
    id: row.id,
    createdAt: row.created_at,
    actor: row.actor,
    requestId: row.request_id,
    isDryRun: row.dry_run,
    columns: row.columns,
    plan: row.plan,
    doneAt: row.done_at,
    lineDone: row.line_done,
    isMarked: row.marked,
  };
}

export async function countOpenImports(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(sql<{ count: number }>`
    select count(*) from imports where tenant_id = ${tx.tenantId} and done_at is null
  `);
  return row?.count ?? 0;
}

/** The oldest that is to be carried out. */
export async function selectOpenImport(tx: TenantTransaction): Promise<Import | undefined> {
  const [row] = await tx.run(sql<ImportRow>`
    select ${importColumns} from imports i where i.tenant_id = ${tx.tenantId} and i.done_at is null order by i.id limit 1
  `);
  return row && toImport(row);
}

/** Those older than this id, newest first. */
export function selectImports(tx: TenantTransaction, before: string, most: number): Promise<CountedImport[]> {
  return selectCounted(tx, sql`i.id < ${before}::uuid`, most);
}

export async function selectImport(tx: TenantTransaction, id: string): Promise<CountedImport | undefined> {
  const [one] = await selectCounted(tx, sql`i.id = ${id}::uuid`, 1);
  return one;
}

async function selectCounted(
  tx: TenantTransaction,
  where: RawBuilder<unknown>,
  most: number,
): Promise<CountedImport[]> {
  const rows = await tx.run(sql<ImportRow & CountedImport['counts'] & { rows: number }>`
    select i.*, c.* from (
      select ${importColumns} from imports i
      where i.tenant_id = ${tx.tenantId} and ${where} order by i.id desc limit ${most}) i
    cross join lateral (
      select count(*) as rows, count(*) filter (where outcome = 'created') as created,
        count(*) filter (where outcome = 'updated') as updated, count(*) filter (where outcome = 'unchanged') as unchanged,
        count(*) filter (where outcome = 'refused') as refused
      from import_rows r where r.tenant_id = ${tx.tenantId} and r.import_id = i.id) c
    order by i.id desc
  `);
  return rows.map(({ rows: count, created, updated, unchanged, refused, ...row }) => ({
    ...toImport(row),
    rows: count,
    counts: { created, updated, unchanged, refused },
  }));
}

/** The next rows that are to be carried out, up to `most`, in their order. */
export function selectNextRows(
  tx: TenantTransaction,
  { id, lineDone }: Import,
  most: number,
): Promise<{ line: number; intake: Intake | null }[]> {
  return tx
    .run(sql<{ line: number; intake: StoredIntake | null }>`
      select line, intake from import_rows where tenant_id = ${tx.tenantId} and import_id = ${id} and line > ${lineDone}
      order by line limit ${most}
    `)
    .then((rows) => rows.map(({ line, intake }) => ({ line, intake: intake && toIntake(intake) })));
}

/** As JSON has it. */
type StoredIntake = Omit<Intake, 'pin'> & {
  pin: (Omit<NonNullable<Intake['pin']>, 'until'> & { until: string | null }) | null;
};

function toIntake({ pin, ...intake }: StoredIntake): Intake {
  if (pin === null) return { ...intake, pin };
  return { ...intake, pin: { ...pin, until: pin.until === null ? null : new Date(pin.until) } };
}

/** Sends what has become of rows, and that all up to the last of them are carried out. */
export function writeResults(
  tx: TenantTransaction,
  id: string,
  lineDone: number,
  results: readonly (RowResult & { line: number })[],
): void {
  tx.send(sql`
    update import_rows i set outcome = r.outcome, code = r.code, detail = r.detail, user_id = r."userId"
    from jsonb_to_recordset(${JSON.stringify(results)}::jsonb)
      as r (line integer, outcome text, code text, detail text, "userId" uuid)
    where i.tenant_id = ${tx.tenantId} and i.import_id = ${id} and i.line = r.line
  `);
  tx.send(
    sql`update imports set line_done = ${lineDone} where tenant_id = ${tx.tenantId} and id = ${id}::uuid`,
  );
}

/** Whoever a row wrote. */
export async function selectWritten(tx: TenantTransaction, id: string): Promise<UserId[]> {
  const rows = await tx.run(sql<{ id: UserId }>`
    select user_id as id from import_rows
    where tenant_id = ${tx.tenantId} and import_id = ${id} and outcome in ('created', 'updated')
  `);
  return rows.map((row) => row.id);
}

export function noteMarked(tx: TenantTransaction, id: string): void {
  tx.send(
    sql`update imports set marked = true where tenant_id = ${tx.tenantId} and id = ${id}::uuid and not marked`,
  );
}

/** Answers whether it was not done yet. */
export async function endImport(tx: TenantTransaction, id: string, now: Date): Promise<boolean> {
  const ended = await tx.count(sql`
    update imports set done_at = ${now} where tenant_id = ${tx.tenantId} and id = ${id}::uuid and done_at is null
  `);
  return ended > 0;
}

export interface ImportedRow extends Omit<RowResult, 'outcome'> {
  line: number;
  cells: string[];
  /** null: it is still to be carried out. */
  outcome: ImportOutcome | null;
}

export interface RowPage {
  /** Behind this line. */
  after: number;
  outcome?: ImportOutcome | undefined;
  most: number;
}

export function selectRows(
  tx: TenantTransaction,
  id: string,
  { after, outcome, most }: RowPage,
): Promise<ImportedRow[]> {
  return tx.run(sql<ImportedRow>`
    select line, cells, outcome, code, detail, user_id as "userId", seat from import_rows
    where tenant_id = ${tx.tenantId} and import_id = ${id} and line > ${after}
      ${outcome === undefined ? sql`` : sql`and outcome = ${outcome}`}
    order by line limit ${most}
  `);
}
