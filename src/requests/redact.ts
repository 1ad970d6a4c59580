/**
 * Writes a JSON value as text, without its secrets and no longer than is kept. It walks the parsed value and never the
 * text that was sent, so that doubled and escaped names hide nothing; and only as far as the text has room, so that a
 * body of megabytes costs as little as one of a few KiB. Pure.
 */

import { isObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import {
  type Findings,
  holdsSecretWord,
  isSecretName,
  namesSecret,
  note,
  redactFilter,
  removedText,
  withoutTokens,
} from './secret-names.ts';

export interface Redacted {
  text: string;
  /** There was more than is kept. */
  isTruncated: boolean;
}

/** @param bytesMax Of the text, in UTF-8; it is cut between two characters. */
export function redactJson(value: unknown, bytesMax: number, findings: Findings): Redacted {
  const walk = new Walk(bytesMax, findings);
  walk.value(value, '', 0);
  return walk.result();
}

/** Members that say of which attribute an object is, as `path` of a PATCH operation; and those that hold its value. */
const saysWhich = /^(?:path|attribute|attributename|name|key)$/i;
const holdsValue = /^(?:new|old)?values?$/i;
/** Members whose text is a filter, or may have one in it. */
const holdsFilter = /^(?:filter|path)$/i;

class Walk {
  readonly #parts: string[] = [];
  readonly #findings: Findings;
  #room: number;
  #isFull = false;

  constructor(bytesMax: number, findings: Findings) {
    this.#room = bytesMax;
    this.#findings = findings;
  }

  result(): Redacted {
    return { text: this.#parts.join(''), isTruncated: this.#isFull };
  }

  /** @param name Of the member; of an element that of its list. */
  value(value: unknown, name: string, depth: number): void {
    if (this.#isFull) return;
    if (typeof value === 'string') this.#write(JSON.stringify(this.#clean(value, name)));
    else if (typeof value !== 'object' || value === null) this.#write(JSON.stringify(value) ?? 'null');
    else if (depth >= limits.recordedDepthMax) this.#write('"[too deep]"');
    else if (Array.isArray(value)) this.#list(value, name, depth);
    else this.#object(value as Record<string, unknown>, depth);
  }

  #list(list: readonly unknown[], name: string, depth: number): void {
    this.#write('[');
    for (const [index, element] of list.entries()) {
      if (this.#isFull) return;
      if (index > 0) this.#write(',');
      this.value(element, name, depth + 1);
    }
    this.#write(']');
  }

  #object(object: Record<string, unknown>, depth: number): void {
    const names = Object.keys(object);
    const isAboutSecret = namesSecretAttribute(object, names);
    this.#write('{');
    let separator = '';
    for (const name of names) {
      if (this.#isFull) return;
      const value = object[name];
      if (value === undefined) continue;
      this.#write(`${separator}${JSON.stringify(this.#cut(name))}:`);
      separator = ',';
      if (isSecretName(name) || (isAboutSecret && holdsValue.test(name))) this.#remove(value);
      else this.value(value, name, depth + 1);
    }
    this.#write('}');
  }

  #remove(secret: unknown): void {
    this.#write(`"${removedText}"`);
    noteLeaves(secret, this.#findings, 0);
  }

  #clean(text: string, name: string): string {
    const shown = this.#cut(text);
    if (holdsFilter.test(name)) return withoutTokens(redactFilter(shown, this.#findings));
    // JSON in a text is not looked into.
    if (/^\s*[[{]/.test(shown) && holdsSecretWord(shown)) {
      note(this.#findings, shown);
      return removedText;
    }
    return withoutTokens(shown);
  }

  /** One character more than has room is enough to be cut. */
  #cut(text: string): string {
    return text.slice(0, this.#room + 1);
  }

  #write(text: string): void {
    if (this.#isFull) return;
    const bytes = Buffer.byteLength(text);
    this.#isFull = bytes > this.#room;
    this.#parts.push(this.#isFull ? cutAtCharacter(text, this.#room) : text);
    this.#room -= this.#isFull ? this.#room : bytes;
  }
}

/** At most so many bytes of UTF-8. */
function cutAtCharacter(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  let end = bytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** No object that says what it is about has more. */
const namesMax = 100;

/** Whether its `value` is that of a secret: `{"op": "replace", "path": "password", "value": …}`. */
function namesSecretAttribute(object: Record<string, unknown>, names: readonly string[]): boolean {
  if (names.length > namesMax) return true;
  for (const name of names) {
    if (!saysWhich.test(name)) continue;
    const which = object[name];
    if (typeof which === 'string' ? namesSecret(which) : /^path$/i.test(name) && which !== null) return true;
  }
  return false;
}

function noteLeaves(value: unknown, findings: Findings, depth: number): void {
  if (typeof value === 'string' || typeof value === 'number') note(findings, String(value));
  if (typeof value !== 'object' || value === null || depth > 3) return;
  for (const inner of Object.values(value).slice(0, 20)) noteLeaves(inner, findings, depth + 1);
}

/** Shorter secrets would take ordinary words apart. */
const secretLengthMin = 3;

/**
 * An error answer without what it repeats of the request: its secrets, and where the body was no JSON, the stretch of
 * it that the parser quotes.
 */
export function withoutEcho(answer: unknown, findings: Findings, isBodyUnread: boolean): unknown {
  if (!isObject(answer) || typeof answer.detail !== 'string') return answer;
  const quoted = isBodyUnread ? answer.detail.replace(/".*"/s, `"${removedText}"`) : answer.detail;
  const detail = findings
    .filter(({ length }) => length >= secretLengthMin)
    .reduce((text, secret) => text.replaceAll(secret, removedText), quoted);
  return { ...answer, detail };
}
