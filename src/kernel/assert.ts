/** Two small helpers that make a wrong assumption loud: neither is ever a way to refuse a caller's input. */

/** Ends a `switch` over a union: the compiler proves that it can't be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** States an invariant of our own code. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`);
}

/** The first row of a result that can't be empty. */
export function first<T>(rows: readonly T[]): T {
  const row = rows[0];
  assert(row !== undefined, 'a row is there');
  return row;
}
