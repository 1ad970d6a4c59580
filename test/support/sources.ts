/** Reads the gateway's own source for the tests that guard its rules: imports, code, and what is written for people. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

export interface Source {
  /** From the top of the repository, with slashes. */
  path: string;
  imports: Import[];
  /** Without comments, and with the text of strings and regular expressions left out. */
  code: string;
  /** The text of strings and templates, which may hold SQL. */
  strings: string[];
  comments: string[];
}

export interface Import {
  /** As written: a package, a `node:` module or a file. */
  from: string;
  /** The file of ours that is meant, from the top of the repository. */
  file: string | undefined;
  /** Values by name, without types. */
  values: string[];
}

/** Every TypeScript file below the folder. */
export function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .map((path) => readSource(path, readFileSync(join(root, path), 'utf8')));
}

export function readSource(path: string, text: string): Source {
  const parts = scan(text);
  const of = (kind: Part['kind']) => parts.filter((part) => part.kind === kind).map((part) => part.text);
  return {
    path,
    imports: importsOf(path, parts),
    code: of('code').join(''),
    strings: of('string'),
    comments: of('comment'),
  };
}

interface Part {
  kind: 'code' | 'string' | 'comment' | 'regex';
  text: string;
}

const patterns: [Part['kind'], RegExp][] = [
  ['comment', /\/\/[^\n]*|\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y],
  ['regex', /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/y],
];

/** In order: code, and between it what is no code. A quotation mark stands in the code where a string was. */
function scan(text: string): Part[] {
  const parts: Part[] = [];
  let code = '';
  let at = 0;
  /** Depth of braces at which each open `${` of a template ends. */
  const templates: number[] = [];
  let depth = 0;
  const put = (kind: Part['kind'], part: string, mark: string) => {
    parts.push({ kind: 'code', text: `${code}${mark}` }, { kind, text: part });
    code = '';
    at += part.length;
  };
  const template = () => {
    const chunk = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
    chunk.lastIndex = at + 1;
    const inner = chunk.exec(text)?.[0] ?? '';
    put('string', text.slice(at, at + 1 + inner.length), '"');
    if (text.startsWith('${', at)) {
      templates.push(depth);
      at += 2;
    } else at += 1;
  };
  while (at < text.length) {
    const found = patterns.find(([kind, pattern]) => {
      pattern.lastIndex = at;
      return pattern.test(text) && (kind !== 'regex' || /(?:^|[(,=:[!&|?{};>]|\breturn)\s*$/.test(code));
    });
    if (found !== undefined) {
      found[1].lastIndex = at;
      put(found[0], found[1].exec(text)?.[0] ?? '', found[0] === 'comment' ? '' : '"');
    } else if (text[at] === '`') template();
    else if (text[at] === '}' && templates.at(-1) === depth) {
      templates.pop();
      template();
    } else {
      if (text[at] === '{') depth += 1;
      if (text[at] === '}') depth -= 1;
      code += text[at];
      at += 1;
    }
  }
  return [...parts, { kind: 'code', text: code }];
}

/** Statements, type-only ones included, and `import('…')` in types and code. */
function importsOf(path: string, parts: readonly Part[]): Import[] {
  const found: Import[] = [];
  let before = '';
  for (const { kind, text } of parts) {
    if (kind === 'code') before += text;
    if (kind !== 'string') continue;
    const clause = /\b(?:import|export)\b(?<names>[^;"]*?\bfrom\s*|\s*\(\s*|\s*)"$/.exec(before)?.groups
      ?.names;
    before = '';
    if (clause === undefined) continue;
    const from = text.slice(1, -1);
    found.push({ from, file: fileOf(path, from), values: valuesOf(clause) });
  }
  return found;
}

function fileOf(path: string, from: string): string | undefined {
  return from.startsWith('.') ? posix.join(posix.dirname(path), from) : undefined;
}

function valuesOf(clause: string): string[] {
  if (/^\s*type\b/.test(clause)) return [];
  const names = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(' as ')[0] ?? '');
}
