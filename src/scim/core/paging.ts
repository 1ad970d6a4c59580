/** Reads which page of a search is wanted: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865 §2). */

import { digest } from '../../kernel/digest.ts';
import { invalid } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';
import { isStorable } from '../../kernel/storable.ts';

export type Paging =
  | {
      readonly kind: 'index';
      /** From 1. */
      readonly startIndex: number;
      readonly count: number;
    }
  | {
      readonly kind: 'cursor';
      /** Where the page before ended; undefined: the first page. */
      readonly after: Place | undefined;
      readonly count: number;
    };

/** A resource's place in the order of a search. */
export interface Place {
  /** `User` or `Group`. */
  readonly type: string;
  readonly id: string;
  /** What it is sorted by, as text; null when unassigned or when ids alone give the order. */
  readonly key: string | null;
}

export interface PagingQuery {
  readonly startIndex?: unknown;
  readonly count?: unknown;
  readonly cursor?: unknown;
}

/**
 * From a query string or a search request. An index below 1 is 1, a negative count is 0 (GEN-03), too many are fewer.
 *
 * @param order What tells one search from another: all pages of one have the same.
 * @throws Fault `invalidValue` for what is no integer, or both ways at once; with a cursor `invalidCursor`, `invalidCount`.
 */
export function readPaging(query: PagingQuery, order: string): Paging {
  const { cursor, startIndex } = query;
  if (cursor === undefined || cursor === null) {
    const count = readInteger('count', query.count) ?? limits.pageSizeDefault;
    const from = Math.max(1, readInteger('startIndex', startIndex) ?? 1);
    return { kind: 'index', startIndex: from, count: Math.min(Math.max(0, count), limits.pageSizeMax) };
  }
  if (startIndex !== undefined)
    throw invalid('invalidValue', 'Page by "startIndex" or by "cursor", not by both.', 'cursor');
  return { kind: 'cursor', after: readCursor(cursor, order), count: readCount(query.count) };
}

function readInteger(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const isText = typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value);
  if (isText || Number.isSafeInteger(value)) return Number(value);
  throw invalid('invalidValue', `"${name}" must be an integer.`, name);
}

function readCount(value: unknown): number {
  if (value === undefined || value === null) return limits.pageSizeDefault;
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (Number.isSafeInteger(count) && Number(count) >= 0) return Math.min(Number(count), limits.pageSizeMax);
  throw invalid('invalidCount', '"count" must be a whole number, 0 or more.', 'count');
}

/** A cursor is a place, and which search it belongs to, in unreserved characters of a URI (RFC 9865 §2). */
export function writeCursor({ type, id, key }: Place, order: string): string {
  // Not as JSON, where a key of control characters would become six times as long, and the cursor one that is not taken.
  const end = key === null ? '' : ` ${key}`;
  return Buffer.from(`${markOf(order)} ${type} ${id}${end}`, 'utf8').toString('base64url');
}

function readCursor(cursor: unknown, order: string): Place | undefined {
  if (cursor === '') return undefined;
  const place =
    typeof cursor === 'string' && cursor.length <= limits.cursorLengthMax ? parseCursor(cursor) : undefined;
  if (place === undefined)
    throw invalid('invalidCursor', 'The cursor is none of ours: begin again with an empty one.', 'cursor');
  const [mark, type, id, key] = place;
  if (mark !== markOf(order)) {
    throw invalid(
      'invalidCursor',
      'The cursor belongs to another search: filter and sorting stay the same from page to page.',
      'cursor',
    );
  }
  return { type, id, key };
}

const cursorForm = /^(\S+) (\S+) ([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?: (.*))?$/s;

function parseCursor(text: string): [string, string, string, string | null] | undefined {
  const [, mark, type, id, key = null] =
    cursorForm.exec(Buffer.from(text, 'base64url').toString('utf8')) ?? [];
  if (mark === undefined || type === undefined || id === undefined) return undefined;
  return key === null || isStorable(key) ? [mark, type, id, key] : undefined;
}

function markOf(order: string): string {
  return digest(order).slice(0, 16);
}
