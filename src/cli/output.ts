/** Shows an answer to a person: lists of objects as tables, anything else as names and values. */

import { withCertificateRead } from './certificate.ts';

type Json = unknown;
type Fields = Record<string, Json>;

/** @param columns Of a list's items. */
export function render(answer: Json, columns: readonly string[] | undefined): string {
  if (typeof answer === 'string') return answer;
  if (isObject(answer) && Array.isArray(answer.items)) {
    const { items, nextCursor, ...rest } = answer;
    const table = tableOf(items, columns).join('\n');
    const more = typeof nextCursor === 'string' ? `\n(more: --cursor ${nextCursor})` : '';
    return [table + more, ...renderFields(rest, '')].join('\n');
  }
  return renderFields(answer, '').join('\n');
}

/** @param columns Those that the items have, where they are left out. */
function tableOf(items: readonly Json[], columns?: readonly string[]): string[] {
  if (items.length === 0) return ['(none)'];
  const names = columns ?? [...new Set(items.flatMap((item) => leavesOf(item, '')))];
  const rows = [names, ...items.map((item) => names.map((name) => short(at(item, name))))];
  const widths = names.map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The paths of what an item holds; `a.b` reaches inside. */
function leavesOf(value: Json, prefix: string): string[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    isObject(inner) && !isRole(inner) ? leavesOf(inner, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

function renderFields(value: Json, prefix: string): string[] {
  if (!isObject(value)) return [`${prefix.slice(0, -1)}: ${short(value)}`];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (isObject(inner)) return renderFields(inner, `${prefix}${name}.`);
    if (isPem(inner)) return [`${prefix}${name}:`, ...inner.trimEnd().split('\n')];
    if (!isList(inner)) return [`${prefix}${name}: ${short(inner)}`];
    const read = inner.map(withCertificateRead);
    // A table has no room for them.
    if (read.some((one, index) => one !== inner[index]))
      return read.flatMap((one, index) => renderFields(one, `${prefix}${name}.${index + 1}.`));
    return [`${prefix}${name}:`, ...tableOf(inner).map((line) => `  ${line}`)];
  });
}

/** To be copied as it stands. */
function isPem(value: Json): value is string {
  return (
    typeof value === 'string' &&
    /^-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n]+-----END [A-Z ]+-----\n?$/.test(value)
  );
}

/** Of objects that are more than a word each. */
function isList(value: Json): value is Fields[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => isObject(one) && !isRole(one));
}

function at(item: Json, path: string): Json {
  return path.split('.').reduce((value, name) => (isObject(value) ? value[name] : undefined), item);
}

function short(value: Json): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.map(short).join(', ') || '–';
  if (!isObject(value)) return printable(String(value));
  if (isRole(value)) return `${short(value.role)} in ${short(value.workspace)}`;
  return Object.values(value).map(short).join(' ');
}

/** Roles of a person: where each is, says enough. */
function isRole(value: Fields): boolean {
  return 'role' in value && 'workspace' in value && !('mapping' in value);
}

/** Names come from outside: what would steer a terminal, or break a line, is shown as its code. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isObject(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
