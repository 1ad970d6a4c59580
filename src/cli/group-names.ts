/** Mappings name groups by their ids; people know them by their names. */

import { type Input, tenantPath } from './command.ts';

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

interface Mapping {
  group: { id?: string };
}

/** The same list, a group that is known by its id shown by its name. */
export async function withGroupNames(
  answer: unknown,
  input: Input,
  get: (path: string) => Promise<unknown>,
): Promise<unknown> {
  const page = answer as Page<Mapping>;
  const wanted = new Set(page.items.flatMap(({ group }) => group.id ?? []));
  const names = new Map<string, string>();
  for (let cursor: string | null = ''; cursor !== null && names.size < wanted.size; ) {
    const query: Input = { tenant: input.tenant, mapped: 'true', limit: '200', ...(cursor && { cursor }) };
    const path = tenantPath(query, '/groups', 'mapped', 'limit', 'cursor');
    const groups = (await get(path)) as Page<{ id: string; displayName: string }>;
    for (const { id, displayName } of groups.items) if (wanted.has(id)) names.set(id, displayName);
    cursor = groups.nextCursor;
  }
  const items = page.items.map((mapping) => ({
    ...mapping,
    group: names.get(mapping.group.id ?? '') ?? mapping.group,
  }));
  return { ...page, items };
}
