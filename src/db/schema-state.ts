/** Which migrations a database has had, beside those that this version knows. Pure. */

export type SchemaState =
  | { kind: 'none' }
  | { kind: 'current' }
  | { kind: 'older'; newest: string; missing: number }
  /** It has migrations that this version does not know. */
  | { kind: 'newer'; unknown: string[] }
  /** One that came before others was left out: of another line of development. */
  | { kind: 'gap'; missing: string };

/** @param known In their order. */
export function schemaState(applied: readonly string[], known: readonly string[]): SchemaState {
  const unknown = applied.filter((name) => !known.includes(name)).sort();
  if (unknown.length > 0) return { kind: 'newer', unknown };
  const newest = [...applied].sort().at(-1);
  if (newest === undefined) return { kind: 'none' };
  const missing = known.filter((name) => !applied.includes(name));
  const [first] = missing;
  if (first === undefined) return { kind: 'current' };
  return first < newest
    ? { kind: 'gap', missing: first }
    : { kind: 'older', newest, missing: missing.length };
}

/** Why no gateway of this version starts on it, and what to do; undefined: one does. */
export function schemaProblem(state: SchemaState, known: readonly string[]): string | undefined {
  const restore = 'or restore the backup that was made before';
  if (state.kind === 'newer') {
    return (
      `the database's schema is newer than this version's: it has ${state.unknown.join(', ')}, and this version ` +
      `ends with ${known.at(-1)}. Start the version that wrote it or a later one, ${restore}`
    );
  }
  if (state.kind === 'gap') {
    return (
      `the database's schema is another version's: ${state.missing} was left out. Start the version that wrote it, ` +
      `${restore}`
    );
  }
  return undefined;
}

/** What it is to a start of this version, as a sentence. */
export function schemaSentence(state: SchemaState, known: readonly string[]): string {
  const newest = known.at(-1);
  switch (state.kind) {
    case 'none':
      return `It has no schema yet: the start makes this version's (${newest}).`;
    case 'current':
      return `Its schema is this version's (${newest}).`;
    case 'older':
      return (
        `Its schema is older than this version's: it ends with ${state.newest}, and the start brings it to ${newest} ` +
        `(${state.missing} to go). There is no way back: make a backup before.`
      );
    case 'newer':
      return `Its schema is newer than this version's (${newest}).`;
    case 'gap':
      return `Its schema is another version's, neither older nor newer than this one's (${newest}).`;
  }
}
