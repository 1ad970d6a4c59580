/** Commands that take a person take an id, a userName or an e-mail address: the admin API knows ids. */

import { fold } from '../kernel/fold.ts';
import { CallFailed } from './admin-client.ts';
import { type Command, type Input, tenantPath, text } from './command.ts';
import { printable } from './output.ts';

interface User {
  id: string;
  userName: string;
  displayName?: string | null;
  email?: string | null;
}

const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const pageSize = 200;
/** A name that so many others begin with is none of a person. */
const pagesMax = 10;

type Get = (path: string) => Promise<unknown>;

/** The same input with ids. @throws CallFailed where nobody, or more than one, has the name exactly. */
export async function withUserIds(input: Input, { people = {} }: Command, get: Get): Promise<Input> {
  const ids: Record<string, string> = {};
  for (const [name, list] of Object.entries(people)) {
    if (input[name] === undefined) continue;
    const written = text(input, name);
    if (!idForm.test(written)) ids[name] = await idOf(written, list, input, get);
  }
  return { ...input, ...ids };
}

async function idOf(written: string, list: string, input: Input, get: Get): Promise<string> {
  const found = await usersNamed(written, list, input, get);
  const [user] = found;
  if (user !== undefined && found.length === 1) return user.id;
  const name = printable(written);
  if (user === undefined) {
    const listing =
      list === '/users'
        ? '`users list --search …` finds people by how those begin'
        : '`removed-user list` has all';
    throw new CallFailed(`Nobody has the userName or the e-mail address "${name}": ${listing}.`);
  }
  const lines = found.map(({ id, userName, displayName }) =>
    printable(`  ${id}  ${userName}  ${displayName ?? ''}`).trimEnd(),
  );
  throw new CallFailed([`More than one has "${name}": name one by the id.`, ...lines].join('\n'));
}

/** Those whose userName or e-mail address in Blue it is, whatever its case (RFC 7643 §2.2). */
async function usersNamed(written: string, list: string, { tenant }: Input, get: Get): Promise<User[]> {
  const key = fold(written);
  const isNamed = ({ userName, email }: User) => fold(userName) === key || email === key;
  // Removed people are few, and can't be searched for.
  const search = list === '/users' ? { search: written } : {};
  const found: User[] = [];
  for (let page = 0, cursor = {}; page < pagesMax; page += 1) {
    const query: Input = { tenant, ...search, limit: String(pageSize), ...cursor };
    const answer = await get(tenantPath(query, list, 'search', 'limit', 'cursor'));
    const { items, nextCursor } = answer as { items: User[]; nextCursor: string | null };
    found.push(...items.filter(isNamed));
    if (nextCursor === null) return found;
    cursor = { cursor: nextCursor };
  }
  throw new CallFailed(
    `More than ${pageSize * pagesMax} people would have to be looked at for "${printable(written)}": name one by the id.`,
  );
}
