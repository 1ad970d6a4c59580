/** A file of people as the admin API reads it: CSV (RFC 4180) with a header, between its cells commas, semicolons or tabs. */

import { CsvError, parse } from 'csv-parse/sync';
import type { FileRow, PeopleFile } from '../imports/people-file.ts';
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
 * Reads the file. Rows that can't be read are refused alone.
 *
 * @throws Fault `invalid` for what is no such file, or has columns that mean nothing; `too_large` for too many rows.
 */
export function readPeopleFile(text: string, now: Date): PeopleFile {
  const [header, ...records] = readRecords(text);
  if (header === undefined)
    throw new Fault('invalid', 'The file is empty: its first line names the columns.');
  const columns = header.cells.map(readColumn);
  refuseColumns(columns);
  if (records.length > limits.importRowsMax) {
    const text = `The file has ${records.length} rows, and ${limits.importRowsMax} are taken at once: split it.`;
    throw new Fault('too_large', text);
  }
  const seen = new Map<string, number>();
  const rows = records.map((record) => readRow(record, columns, seen, now));
  return { columns: header.cells, rows };
}

interface FileRecord {
  line: number;
  cells: string[];
}

function readRecords(text: string): FileRecord[] {
  try {
    const options = { bom: true, delimiter: delimiterOf(text), skip_empty_lines: true, trim: true };
    const read = parse(text, { ...options, relax_column_count: true, info: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return read.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Fault('invalid', `This is no CSV file: ${error.message}.`);
  }
}

/** What the header has most of. */
function delimiterOf(text: string): string {
  const [header = ''] = text.split(/[\r\n]/, 1);
  const count = (delimiter: string) => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
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
  { line, cells }: FileRecord,
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

function refused({ line, cells }: FileRecord, code: RefusalCode, detail: string): FileRow {
  const kept = cells.slice(0, importColumns.length).map((cell) => cell.slice(0, limits.importValueLengthMax));
  return { line, cells: kept, intake: { outcome: 'refused', userId: null, code, detail } };
}

function readCells(cells: readonly string[], columns: readonly Column[]): Cells {
  if (cells.length !== columns.length) {
    const text = `The row has ${cells.length} cells, and the header ${columns.length}: what is empty is a cell, too, and one with the separator in it stands in quotes.`;
    throw new Fault('invalid', text);
  }
  const long = columns.find((column, at) => valuesIn(column, cells[at] ?? '').some(isLong));
  if (long !== undefined)
    throw new Fault('invalid', `"${long}" is longer than ${limits.importValueLengthMax} characters.`);
  return Object.fromEntries(
    columns.flatMap((column, at) => (cells[at] === '' ? [] : [[column, cells[at]]])),
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
