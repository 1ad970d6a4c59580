/** Reads CSV (RFC 4180), some of it at a time, so that others are answered meanwhile; between cells stand commas, semicolons or tabs. */

import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { type CastingContext, CsvError, parse } from 'csv-parse';
import { Fault } from '../kernel/fault.ts';
import type { CsvRecord } from './people-file.ts';

const bytesAtOnce = 64 * 1024;
/** Characters of a header that are looked at for what stands between its cells. */
const headerLengthMax = 10_000;
/** Each of them, also where the header's is another: its rows would be one, of somebody whose name has lines. */
const lineEnds = ['\r\n', '\n', '\r'];
/** Cells of one record: with too many the row is refused alone, with very many the file. */
const cellsMax = 1000;
/** Characters of what is wrong, which may quote a cell. */
const messageLengthMax = 200;

/** @throws Fault `invalid` for another encoding, as spreadsheets on Windows write by default. */
export function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Fault('invalid', 'The file is not in UTF-8: save it as "CSV UTF-8".');
  }
}

/** Whoever stops taking records stops the reading. @throws Fault `invalid` for what is no CSV. */
export async function* recordsOf(text: string): AsyncGenerator<CsvRecord> {
  const form = { bom: true, delimiter: delimiterOf(text), record_delimiter: lineEnds };
  const lax = { skip_empty_lines: true, trim: true, relax_column_count: true };
  const parser = parse({ ...form, ...lax, info: true, cast: counted });
  const records: AsyncIterable<{ record: string[]; info: { lines: number } }> = Readable.from(
    partsOf(text),
  ).pipe(parser);
  try {
    for await (const { record, info } of records) yield { cells: record, line: info.lines };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Fault('invalid', `This is no CSV file: ${error.message.slice(0, messageLengthMax)}.`);
  }
}

function counted(cell: string, { index, lines }: CastingContext): string {
  if (index < cellsMax) return cell;
  throw new Fault('invalid', `This is no CSV file of people: line ${lines} has more than ${cellsMax} cells.`);
}

async function* partsOf(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += bytesAtOnce) {
    yield bytes.subarray(at, at + bytesAtOnce);
    await setImmediate();
  }
}

/** What the header has most of. */
function delimiterOf(text: string): string {
  const [header = ''] = text
    .slice(0, headerLengthMax)
    .trimStart()
    .split(/[\r\n]/, 1);
  const count = (delimiter: string) => header.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
}
