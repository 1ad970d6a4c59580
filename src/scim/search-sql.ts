/** A search of one resource type: what its query asks for, and the list it answers (RFC 7644 §3.4.2, RFC 9865). */

import { sql } from 'kysely';
import pg from 'pg';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { invalid } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import type { ResourceType } from './core/attribute.ts';
import { type Filter, parseFilter } from './core/filter.ts';
import type { PagePlace } from './core/messages.ts';
import { type Paging, readPaging, writeCursor } from './core/paging.ts';
import { type Projection, readProjection } from './core/project.ts';
import type { SearchQuery } from './core/search-request.ts';
import { filterSql, isIndexed } from './filter-sql.ts';
import type { Condition, FilterTarget } from './filter-target-sql.ts';
import { afterSql, type Order, readOrder } from './sort-sql.ts';

export interface Search {
  readonly projection: Projection;
  readonly paging: Paging;
  readonly order: Order;
  /** What all pages of the search have in common. */
  readonly mark: string;
  readonly where: Condition;
  readonly offset: number;
  /** One more than the page shows where a cursor may follow. */
  readonly limit: number;
  readonly withTotal: boolean;
  /** Every resource of the tenant may have to be looked at. */
  readonly isScan: boolean;
}

/** @throws Fault `invalid` for a filter, names, an order or numbers that can't be read. */
export function readSearch(type: ResourceType, target: FilterTarget, query: SearchQuery): Search {
  const filter = readFilter(type, query.filter);
  const order = readOrder(type, target, query);
  const mark = searchMark([type.id], query);
  const paging = readPaging(query, mark);
  const condition = filter === undefined ? sql`true` : filterSql(filter, target);
  const after = paging.kind === 'cursor' ? paging.after : undefined;
  const where =
    after === undefined
      ? condition
      : sql`${condition} and ${afterSql(order, sql.ref(`${target.alias}.id`), after)}`;
  const isScan = (filter !== undefined && !isIndexed(filter, target)) || !order.isTotal;
  return { projection: readProjection(type, query), paging, order, mark, where, isScan, ...windowOf(paging) };
}

/** An empty filter is none. */
export function readFilter(
  type: ResourceType,
  filter: unknown,
  others: readonly ResourceType[] = [],
): Filter | undefined {
  if (filter === undefined || filter === null || filter === '') return undefined;
  if (typeof filter !== 'string') throw invalid('invalidFilter', 'Send one "filter".', 'filter');
  return parseFilter(type, filter, others);
}

export function searchMark(types: readonly string[], { filter, sortBy, sortOrder }: SearchQuery): string {
  return JSON.stringify([types, filter ?? '', sortBy ?? '', String(sortOrder ?? 'ascending').toLowerCase()]);
}

export function windowOf(paging: Paging): Pick<Search, 'offset' | 'limit' | 'withTotal'> {
  if (paging.kind === 'index') return { offset: paging.startIndex - 1, limit: paging.count, withTotal: true };
  return { offset: 0, limit: paging.count === 0 ? 0 : paging.count + 1, withTotal: paging.count === 0 };
}

export interface Found<Resource> {
  /** As many as `limit` asked for, or fewer. */
  readonly resources: readonly Resource[];
  /** Of each its key in the order. */
  readonly keys: readonly (string | null)[];
  readonly total: number;
  /** The page ended early, because of its bytes. */
  readonly isCut: boolean;
}

/** What of the found is shown, and where the page stands. */
export function pageOf<Resource>(
  { paging, mark }: Pick<Search, 'paging' | 'mark'>,
  { resources, keys, total, isCut }: Found<Resource>,
  identify: (resource: Resource) => { readonly type: string; readonly id: string },
): { shown: readonly Resource[]; place: PagePlace } {
  if (paging.kind === 'index') {
    return { shown: resources, place: { totalResults: total, startIndex: paging.startIndex } };
  }
  if (paging.count === 0) return { shown: [], place: { totalResults: total } };
  const shown = resources.slice(0, paging.count);
  const last = shown.at(-1);
  if (last === undefined || (resources.length <= paging.count && !isCut)) return { shown, place: {} };
  const key = keys[shown.length - 1] ?? null;
  return { shown, place: { nextCursor: writeCursor({ ...identify(last), key }, mark) } };
}

/**
 * Runs a search, which may not hold the database for long.
 *
 * @throws Fault `invalidFilter` when it looks at too much, `invalidCursor` when the cursor's place can't be read.
 */
export async function runSearch<T>(
  tx: TenantTransaction,
  { isScan, paging }: Pick<Search, 'isScan' | 'paging'>,
  select: () => Promise<T>,
): Promise<T> {
  if (isScan) tx.send(sql`select set_config('statement_timeout', ${String(limits.searchMsMax)}, true)`);
  try {
    return await select();
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code === '57014' && isScan) {
      throw invalid(
        'invalidFilter',
        'The search has to look at too many resources: filter by userName, externalId, id, an e-mail or displayName.',
        'filter',
      );
    }
    // A value that is none of the type it is compared or sorted as.
    if (error.code?.startsWith('22') !== true) throw error;
    if (paging.kind === 'cursor' && paging.after !== undefined) {
      throw invalid('invalidCursor', 'The cursor is none of ours: begin again with an empty one.', 'cursor');
    }
    throw invalid('invalidFilter', 'A value of the filter does not go with its attribute.', 'filter');
  }
}
