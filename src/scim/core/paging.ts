/** Reads the paging of a search. RFC 7644 §3.4.2.4. */

import { invalid } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';

export interface Paging {
  /** From 1. */
  readonly startIndex: number;
  readonly count: number;
}

/**
 * From a query string or a search request: below 1 is 1, a negative count is 0 (GEN-03), too many are fewer.
 * Errors: `invalidValue` for what is no integer.
 */
export function readPaging(query: { readonly startIndex?: unknown; readonly count?: unknown }): Paging {
  const startIndex = readInteger('startIndex', query.startIndex) ?? 1;
  const count = readInteger('count', query.count) ?? limits.pageSizeDefault;
  return { startIndex: Math.max(1, startIndex), count: Math.min(Math.max(0, count), limits.pageSizeMax) };
}

function readInteger(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const isText = typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value);
  if (isText || Number.isSafeInteger(value)) return Number(value);
  throw invalid('invalidValue', `"${name}" must be an integer.`, name);
}
