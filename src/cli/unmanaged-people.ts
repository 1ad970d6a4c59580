/** People whom Blue has by itself, by their addresses: the admin API knows their ids in Blue. */

import { fold } from '../kernel/fold.ts';
import { limits } from '../kernel/limits.ts';
import { CallFailed } from './admin-client.ts';
import { type Input, list, tenantPath, UsageError } from './command.ts';
import { printable } from './output.ts';

interface Person {
  blueUserId: string;
  email: string | null;
  adoptable: boolean;
}

type Get = (path: string) => Promise<unknown>;

/** The same input with ids. @throws CallFailed for an address that none of these people has; UsageError where nobody is named. */
export async function withBlueUserIds(input: Input, get: Get): Promise<Input> {
  const named = list(input, 'person') ?? [];
  if ((named.length === 0) !== (input.all === true))
    throw new UsageError('name people by address or id in Blue, or give --all');
  if (input.all === true) {
    const ids = (await adoptable(input, get)).slice(0, limits.blueAdoptionsPerCallMax);
    if (ids.length === 0) throw new CallFailed('Nobody can be adopted: `blue unmanaged` tells why.');
    return { ...input, person: ids.join() };
  }
  if (!named.some((name) => name.includes('@'))) return input;
  const people = await unmanaged(input, get);
  const ids = named.map((name) => {
    const person = people.find(({ email }) => email === fold(name));
    if (person !== undefined || !name.includes('@')) return person?.blueUserId ?? name;
    const text = `Nobody with a paid role that the gateway did not give has the address "${printable(name)}"`;
    throw new CallFailed(
      `${text}: \`blue unmanaged\` has all of them, and no longer whoever was adopted (\`users show\`).`,
    );
  });
  return { ...input, person: ids.join() };
}

/** Of `--all` one call takes only so many. */
export async function withWhoIsLeft(answer: unknown, input: Input, get: Get): Promise<unknown> {
  if (input.all !== true) return answer;
  const left = (await adoptable(input, get)).length;
  return left === 0 ? answer : { ...(answer as object), left: `${left} more: repeat the command` };
}

async function adoptable(input: Input, get: Get): Promise<string[]> {
  const people = await unmanaged(input, get);
  return people.filter((person) => person.adoptable).map(({ blueUserId }) => blueUserId);
}

async function unmanaged({ tenant }: Input, get: Get): Promise<Person[]> {
  const people: Person[] = [];
  for (let cursor: Input = {}; ; ) {
    const query: Input = { tenant, limit: String(limits.listLimitMax), ...cursor };
    const answer = await get(tenantPath(query, '/blue/unmanaged', 'limit', 'cursor'));
    const { items, nextCursor } = answer as { items: Person[]; nextCursor: string | null };
    people.push(...items);
    if (nextCursor === null) return people;
    cursor = { cursor: nextCursor };
  }
}
