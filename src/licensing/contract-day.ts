/** Days of a contract: `YYYY-MM-DD`, UTC. Pure. */

const dayMs = 86_400_000;

/** The first instant of the day. */
export function startOf(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

/** The first instant after the day. */
export function endOf(day: string): Date {
  return new Date(startOf(day).getTime() + dayMs);
}

export function dayBefore(day: string): string {
  return new Date(startOf(day).getTime() - dayMs).toISOString().slice(0, 10);
}
