/** What the records of an imported file say of people: a header that names the columns, then a row for each. */

import type { CsvRecord, FileRow, PeopleFile } from '../imports/people-file.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { newId, type UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Intake, IntakePin, RefusalCode, Said } from '../provisioning/intake.ts';
import { readDate } from './instant.ts';
import { refuseRepeatedWorkspaces, refuseUnknownRole } from './role-form.ts';

/** Cells of a row by their columns; empty ones are left out. */
type Cells = Partial<Record<Column, string>>;

export const importColumns = [
  'userName',
  'email',
  'displayName',
  'givenName',
  'familyName',
  'title',
  'department',
  'active',
  'roles',
  'role',
  'workspaces',
  'until',
] as const;
type Column = (typeof importColumns)[number];

/**
 * Reads the file as its records come. Rows that can't be read are refused alone.
 *
 * @throws Fault `invalid` for columns that mean nothing; `too_large` for too many rows: those behind are not read.
 */
export async function readPeopleFile(records: AsyncIterable<CsvRecord>, now: Date): Promise<PeopleFile> {
  let header: { names: readonly string[]; columns: Column[] } | undefined;
  const seen = new Map<string, number>();
  const rows: FileRow[] = [];
  for await (const record of records) {
    if (header === undefined) {
      header = { names: record.cells, columns: readColumns(record.cells) };
      continue;
    }
    if (rows.length === limits.importRowsMax) {
      const text = `The file has more than ${limits.importRowsMax} rows, which are taken at once: split it.`;
      throw new Fault('too_large', text);
    }
    rows.push(readRow(record, header.columns, seen, now));
  }
  if (header === undefined)
    throw new Fault('invalid', 'The file is empty: its first line names the columns.');
  return { columns: header.names, rows };
}

function readColumns(names: readonly string[]): Column[] {
  const columns = names.map(readColumn);
  refuseColumns(columns);
  return columns;
}

function readColumn(name: string): Column {
  const column = importColumns.find((one) => fold(one) === fold(name));
  if (column !== undefined) return column;
  const text = `The column "${name.slice(0, 100)}" means nothing here: take it out, or name it as one of ${importColumns.join(', ')}.`;
  throw new Fault('invalid', text, { field: name.slice(0, 100) });
}

function refuseColumns(columns: readonly Column[]): void {
  const twice = columns.find((one, at) => columns.indexOf(one) < at);
  if (twice !== undefined)
    throw new Fault('invalid', `The column "${twice}" is there twice.`, { field: twice });
  const has = (name: Column) => columns.includes(name);
  if (!has('userName') && !has('email')) {
    throw new Fault('invalid', 'A column "userName", or "email", must say who each row is about.', {
      field: 'userName',
    });
  }
  for (const name of ['workspaces', 'until'] as const) {
    if (has(name) && !has('role'))
      throw new Fault('invalid', `"${name}" means nothing without a column "role".`, { field: name });
  }
}

/** @param seen Lines of the people before. */
function readRow(
  { line, cells }: CsvRecord,
  columns: readonly Column[],
  seen: Map<string, number>,
  now: Date,
): FileRow {
  try {
    const intake = readIntake(readCells(cells, columns), now);
    const key = fold(intake.userName);
    const before = seen.get(key);
    if (before !== undefined)
      return refused({ line, cells }, 'repeated', `Line ${before} is about this person.`);
    seen.set(key, line);
    return { line, cells, intake };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return refused({ line, cells }, 'unreadable', error.message);
  }
}

function refused({ line, cells }: CsvRecord, code: RefusalCode, detail: string): FileRow {
  const kept = cells.slice(0, importColumns.length).map((cell) => cell.slice(0, limits.importValueLengthMax));
  return { line, cells: kept, intake: { outcome: 'refused', userId: null, code, detail } };
}

/** Characters of a cell with several values. */
const cellLengthMax = limits.valuesPerAttributeMax * (limits.importValueLengthMax + 1);

function readCells(cells: readonly string[], columns: readonly Column[]): Cells {
  if (cells.length !== columns.length) {
    const text = `The row has ${cells.length} cells, and the header ${columns.length}: what is empty is a cell, too, and one with the separator in it stands in quotes.`;
    throw new Fault('invalid', text);
  }
  const endless = columns.find((_, at) => (cells[at] ?? '').length > cellLengthMax);
  if (endless !== undefined)
    throw new Fault('invalid', `"${endless}" is longer than ${cellLengthMax} characters.`);
  const long = columns.find((column, at) => valuesIn(column, cells[at] ?? '').some(isLong));
  if (long !== undefined)
    throw new Fault('invalid', `"${long}" is longer than ${limits.importValueLengthMax} characters.`);
  return Object.fromEntries(
    columns.flatMap((column, at) => {
      // Spreadsheets have blanks of their own kinds, also between quotes.
      const cell = (cells[at] ?? '').trim();
      return cell === '' ? [] : [[column, cell]];
    }),
  ) as Cells;
}

function readIntake(cells: Cells, now: Date): Intake {
  const { userName = cells.email } = cells;
  const problems: string[] = [];
  const said = orProblem(() => readSaid(cells), problems);
  const pin = orProblem(() => readPin(cells), problems);
  if (userName === undefined)
    throw new Fault('invalid', 'The row is about nobody: it has no "userName", and no "email".');
  if (said === undefined || pin === undefined) throw new Fault('invalid', problems.join(' '));
  return { id: newId<UserId>(now.getTime()), userName, said, pin };
}

/** Of one row several things are told at once. */
function orProblem<T>(read: () => T, problems: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

function readSaid(cells: Cells): Said {
  const { email, active, roles, displayName, givenName, familyName, title, department } = cells;
  if (email !== undefined && !/^[^\s@]+@[^\s@]+$/.test(email))
    throw new Fault('invalid', `"email" "${email}" is no address.`);
  const said = { email, displayName, givenName, familyName, title, department };
  return {
    ...(Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Said),
    ...(active === undefined ? {} : { active: readTruth(active) }),
    ...(roles === undefined ? {} : { roles: few('roles', listIn(roles), limits.valuesPerAttributeMax) }),
  };
}

function few(name: Column, values: string[], most: number): string[] {
  if (values.length <= most) return values;
  throw new Fault('invalid', `"${name}" names more than ${most}.`);
}

function readTruth(text: string): boolean {
  const value = fold(text);
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Fault('invalid', `"active" is true or false, and not "${text}".`);
}

function readPin({ role, workspaces, until }: Cells): IntakePin | null {
  if (role === undefined) {
    if (workspaces === undefined && until === undefined) return null;
    throw new Fault('invalid', '"workspaces" and "until" mean nothing without a "role".');
  }
  refuseUnknownRole(role);
  const most = limits.workspacesPerMappingMax;
  const named = workspaces === undefined ? null : few('workspaces', listIn(workspaces), most);
  refuseRepeatedWorkspaces(named ?? []);
  return { role, workspaces: named, until: readDate('until', until) ?? null };
}

function listIn(cell: string): string[] {
  return cell
    .split('|')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function valuesIn(column: Column, cell: string): string[] {
  return column === 'roles' || column === 'workspaces' ? listIn(cell) : [cell];
}

function isLong(value: string): boolean {
  return value.length > limits.importValueLengthMax;
}
