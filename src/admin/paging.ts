/** Pages of the admin API's lists: a cursor is the sort key of the last item, in a form that callers don't read. */

import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { isStorable } from '../kernel/storable.ts';

/** Before and behind all ids. */
export const firstId = '00000000-0000-0000-0000-000000000000';
export const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface PageRequest {
  limit?: number;
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Items to read: one more than are shown, to know whether there are more. */
export function readLimit({ limit = limits.listLimitDefault }: PageRequest): number {
  return limit + 1;
}

/** The key after which to go on; `start` at the beginning. @throws Fault `invalid` for a cursor that is not ours. */
export function afterKey({ cursor }: PageRequest, start: string): string {
  if (cursor === undefined) return start;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  const isOurs = Buffer.from(key, 'utf8').toString('base64url') === cursor && isStorable(key);
  if (!isOurs) throw foreignCursor();
  return key;
}

/** As `afterKey`, for lists in the order of ids. */
export function afterId(request: PageRequest, start: string = firstId): string {
  const id = parseId<string>(afterKey(request, start));
  if (id === undefined) throw foreignCursor();
  return id;
}

/** As `afterKey`, for lists in the order of whole numbers. */
export function afterNumber(request: PageRequest, start: number): number {
  const key = Number(afterKey(request, String(start)));
  if (!Number.isSafeInteger(key)) throw foreignCursor();
  return key;
}

export function foreignCursor(): Fault {
  return new Fault('invalid', '"cursor" is none of ours: leave it out to begin again.', { field: 'cursor' });
}

/** The cursor of a key. */
export function cursorOf(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** @param rows As many as `readLimit` asked for, or fewer. */
export function toPage<Row, Item>(
  request: PageRequest,
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  show: (row: Row) => Item,
): Page<Item> {
  const most = readLimit(request) - 1;
  const shown = rows.slice(0, most);
  const last = shown.at(-1);
  const hasMore = rows.length > most && last !== undefined;
  return {
    items: shown.map(show),
    nextCursor: hasMore ? cursorOf(keyOf(last)) : null,
  };
}
