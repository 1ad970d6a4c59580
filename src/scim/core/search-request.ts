/** What a search asks for, from a query string or from the body of POST `/.search`. RFC 7644 §3.4.2, §3.4.3. */

import { invalid } from '../../kernel/fault.ts';
import type { PagingQuery } from './paging.ts';
import type { ProjectionQuery } from './project.ts';
import { urns } from './urns.ts';
import { memberOf, readBody } from './validate.ts';

export interface SearchQuery extends ProjectionQuery, PagingQuery {
  readonly filter?: unknown;
  readonly sortBy?: unknown;
  readonly sortOrder?: unknown;
}

const parameters = [
  ...['attributes', 'excludedAttributes', 'filter', 'sortBy', 'sortOrder', 'startIndex', 'count', 'cursor'],
] as const;

/** @throws Fault `invalidSyntax` for a body that is no SearchRequest. */
export function readSearchRequest(body: unknown): SearchQuery {
  const source = readBody(body);
  const schemas = memberOf(source, 'schemas');
  const isSearch = (urn: unknown) => String(urn).toLowerCase() === urns.searchRequest.toLowerCase();
  if (!Array.isArray(schemas) || !schemas.some(isSearch)) {
    throw invalid('invalidSyntax', `"schemas" must hold ${urns.searchRequest}.`, 'schemas');
  }
  return readParameters(source);
}

/** Whatever the case of their names: a `FILTER` that is not seen would be answered with everybody (ENTRA-50). */
export function readParameters(source: { [name: string]: unknown }): SearchQuery {
  return Object.fromEntries(
    parameters.flatMap((name) => {
      const value = memberOf(source, name.toLowerCase());
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
}
