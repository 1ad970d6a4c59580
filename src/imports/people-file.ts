/** A file of people as it was read. */

import type { Intake, Refused } from '../provisioning/intake.ts';

export interface PeopleFile {
  columns: readonly string[];
  rows: readonly FileRow[];
}

export interface CsvRecord {
  /** The header being the first. */
  line: number;
  cells: readonly string[];
}

export interface FileRow extends CsvRecord {
  /** Or why it can't be carried out. */
  intake: Intake | Refused;
}

/** Of the rows that can be read. */
export function peopleOf({ rows }: PeopleFile): Intake[] {
  return rows.flatMap(({ intake }) => ('outcome' in intake ? [] : [intake]));
}
