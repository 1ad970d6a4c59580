/** A search of one resource type: what its query asks for, and the list it answers (RFC 7644 §3.4.2). */

import { type RawBuilder, sql } from 'kysely';
import { invalid } from '../kernel/fault.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { ResourceType } from './core/attribute.ts';
import { parseFilter } from './core/filter.ts';
import { listResponse } from './core/messages.ts';
import { readPaging } from './core/paging.ts';
import { type Projection, type ProjectionQuery, readProjection } from './core/project.ts';
import { type FilterTarget, filterSql } from './filter-sql.ts';

export interface SearchQuery extends ProjectionQuery {
  filter?: unknown;
  startIndex?: unknown;
  count?: unknown;
}

export interface Search {
  projection: Projection;
  where: RawBuilder<unknown>;
  offset: number;
  limit: number;
}

/** @throws Fault `invalid` for a filter, names or numbers that can't be read. */
export function readSearch(type: ResourceType, target: FilterTarget, query: SearchQuery): Search {
  const { startIndex, count } = readPaging(query);
  return {
    projection: readProjection(type, query),
    where: whereOf(type, target, query.filter),
    offset: startIndex - 1,
    limit: count,
  };
}

/** An empty filter is none. */
function whereOf(type: ResourceType, target: FilterTarget, filter: unknown): RawBuilder<unknown> {
  if (filter === undefined || filter === '') return sql`true`;
  if (typeof filter !== 'string') throw invalid('invalidFilter', 'Send one "filter".', 'filter');
  return filterSql(parseFilter(type, filter), target);
}

export function searchAnswer(total: number, { offset }: Search, resources: JsonObject[]): JsonObject {
  return listResponse({ totalResults: total, startIndex: offset + 1, resources });
}
