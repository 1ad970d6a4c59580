/** Shows an answer to a person: a list as a table, anything else as names and values. */

type Json = unknown;

/** @param columns Of a list's items. */
export function render(answer: Json, columns: readonly string[] | undefined): string {
  if (isObject(answer) && Array.isArray(answer.items)) {
    const { items, nextCursor } = answer;
    const table = renderTable(items, columns ?? Object.keys(isObject(items[0]) ? items[0] : {}));
    return typeof nextCursor === 'string' ? `${table}\n(more: --cursor ${nextCursor})` : table;
  }
  return renderFields(answer, '').join('\n');
}

function renderTable(items: readonly Json[], columns: readonly string[]): string {
  if (items.length === 0) return '(none)';
  const rows = [columns, ...items.map((item) => columns.map((column) => short(at(item, column))))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function renderFields(value: Json, prefix: string): string[] {
  if (!isObject(value)) return [`${prefix.slice(0, -1)}: ${short(value)}`];
  return Object.entries(value).flatMap(([name, inner]) =>
    isObject(inner) ? renderFields(inner, `${prefix}${name}.`) : [`${prefix}${name}: ${short(inner)}`],
  );
}

function at(item: Json, path: string): Json {
  return path.split('.').reduce((value, name) => (isObject(value) ? value[name] : undefined), item);
}

function short(value: Json): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.map(short).join(', ') || '–';
  if (!isObject(value)) return printable(String(value));
  return Object.values(value).map(short).join(' ');
}

/** Names come from outside: what would steer a terminal, or break a line, is shown as its code. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
