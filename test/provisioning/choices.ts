/** How an edit's numbers choose among what exists, and what they are written as. */

export const dayMs = 86_400_000;

export function rolesOf(role: number | null) {
  return role === null ? {} : { roles: [{ value: `role${role}` }] };
}

/** Few addresses, so that people share them. */
export function emailsOf(address: number) {
  return { emails: [{ value: addressOf(address), type: 'work' }] };
}

export function addressOf(address: number): string {
  return `address${address % 12}@example.com`;
}

export function nameOf(n: number): string {
  return `group${n % 6}`;
}

export function dayOf(now: Date, inDays: number): string {
  return new Date(now.getTime() + inDays * dayMs).toISOString().slice(0, 10);
}

export function pick<T>(all: readonly T[], n: number): T | undefined {
  return all[n % Math.max(1, all.length)];
}

export async function withOne<T>(
  all: readonly T[],
  n: number,
  work: (one: T) => Promise<unknown>,
): Promise<boolean> {
  const one = pick(all, n);
  if (one === undefined) return false;
  await work(one);
  return true;
}

export function rotated<T>(all: readonly T[], by: number): T[] {
  const at = by % Math.max(1, all.length);
  return [...all.slice(at), ...all.slice(0, at)].reverse();
}
