/**
 * Rewrites a filter as clients send it into the plain form the grammar library can read, and bounds it first: the
 * library recurses without limit, mistakes escapes and loses the tie of `emails[…].value eq`. It knows tokens, no
 * attributes. RFC 7644 §3.4.2.2.
 */

import type { Fault } from '../../kernel/fault.ts';
import { invalid } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';
import { isStorable } from '../../kernel/storable.ts';
import type { Leniencies } from './leniency.ts';

/** A value as it was written; only the attribute's type tells what an unquoted `true` or `12` means. */
export interface Literal {
  readonly text: string;
  readonly quoted: boolean;
}

export interface NormalisedFilter {
  /** RFC form, with the index of its literal in the place of each value. */
  readonly text: string;
  readonly literals: readonly Literal[];
}

const space = /\s+/y;
const bracket = /[()[\]]/y;
const word = /[a-z_][\w.:/-]*/iy;
const operator = /\s+(?:eq|ne|co|sw|ew|gt|ge|lt|le)(?=[\s"])/iy;
const quotedValue = /\s*"(?:[^"\\]|\\.)*"/sy;
/**
 * authentik 2025.8 and the Postman collection leave the quotes out (authentik#16455). Nothing but `and`, `or` or a
 * closing bracket may follow a value, so several words in a row can only be one value: `displayName eq authentik Admins`.
 */
const bareValue = /\s+[^\s()[\]"'][^\s()[\]"]*(?:\s+(?!(?:and|or)(?:\s|$))[^\s()[\]"]+)*/iy;
const subAttribute = /\.(?=[a-z_])/iy;

const keywords: ReadonlySet<string> = new Set(['and', 'or', 'not', 'pr']);

/** Errors: `invalidFilter` when a limit is met, a bracket has no partner, or a character can't be read. */
export function normaliseFilter(text: string, tolerates: Leniencies): NormalisedFilter {
  if (text.length > limits.filterLengthMax) {
    throw tooComplex(`longer than ${limits.filterLengthMax} characters`);
  }
  return new Rewriter(text, tolerates).rewrite();
}

/** One pass over the text; the parts go out as they are read. */
class Rewriter {
  readonly #text: string;
  readonly #tolerates: Leniencies;
  readonly #out: string[] = [];
  readonly #literals: Literal[] = [];
  readonly #open: string[] = [];
  #at = 0;
  #terms = 0;
  /** Set behind `emails[…].`: the bracket stays open until the term that belongs inside has been read. */
  #closing = false;

  constructor(text: string, tolerates: Leniencies) {
    this.#text = text;
    this.#tolerates = tolerates;
  }

  rewrite(): NormalisedFilter {
    while (this.#at < this.#text.length) {
      if (this.#take(space) !== undefined) continue;
      const mark = this.#take(bracket);
      if (mark !== undefined) this.#bracket(mark);
      else this.#word();
    }
    if (this.#open.length > 0) throw unreadable(`"${this.#open.at(-1)}" is not closed`);
    return { text: this.#out.join(' '), literals: this.#literals };
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** A value path's filter gets parentheses, so that what is drawn in after it can't be torn away by an `or`. */
  #bracket(mark: string): void {
    if (mark === '(' || mark === '[') {
      this.#open.push(mark);
      if (this.#open.length > limits.filterDepthMax)
        throw tooComplex(`nested deeper than ${limits.filterDepthMax}`);
      this.#out.push(mark === '[' ? '[(' : '(');
      return;
    }
    const opened = this.#open.pop();
    if (opened !== (mark === ')' ? '(' : '[')) throw unreadable(`"${mark}" closes nothing`);
    this.#out.push(')');
    if (mark === ')') return;
    // ENTRA-06: `emails[type eq "work"].value eq "x"` asks for one element that is both.
    if (this.#take(subAttribute) === undefined) this.#out.push(']');
    else if (!this.#tolerates.has('subAttributesOfElements')) {
      throw unreadable('nothing may follow a closing bracket but "and" or "or"');
    } else {
      this.#out.push('and');
      this.#closing = true;
    }
  }

  #word(): void {
    const found = this.#take(word);
    if (found === undefined) throw unreadable(`character ${this.#at + 1} is not expected`);
    const lower = found.toLowerCase();
    if (keywords.has(lower)) {
      this.#out.push(lower);
      if (lower === 'not' || lower === 'pr') this.#term();
      if (lower === 'pr') this.#close();
      return;
    }
    this.#out.push(found);
    // PING sends `userName Eq "…"`: operators have no case.
    const compared = this.#take(operator);
    if (compared === undefined) return;
    this.#out.push(compared.trim().toLowerCase(), String(this.#literals.length));
    this.#literals.push(this.#literal());
    this.#term();
    this.#close();
  }

  #literal(): Literal {
    const quoted = this.#take(quotedValue);
    const text = quoted === undefined ? this.#take(bareValue)?.trim() : unquote(quoted);
    if (text === undefined) throw unreadable(`a value is missing at character ${this.#at + 1}`);
    if (quoted === undefined && !isJsonValue(text) && !this.#tolerates.has('bareFilterValues')) {
      throw unreadable('a text is written in quotes');
    }
    if (!isStorable(text)) throw unreadable('a value holds a character that no attribute can hold');
    return { text, quoted: quoted !== undefined };
  }

  #term(): void {
    this.#terms += 1;
    if (this.#terms > limits.filterTermsMax) throw tooComplex(`more than ${limits.filterTermsMax} terms`);
  }

  #close(): void {
    if (this.#closing) this.#out.push(']');
    this.#closing = false;
  }
}

/** What RFC 7644 lets stand without quotes: false, null, true, a number. */
function isJsonValue(text: string): boolean {
  return /^(?:false|null|true|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(text);
}

/** Strings are JSON strings (RFC 7644 §3.4.2.2), `\u` escapes included. */
function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw unreadable('a quoted value is no JSON string: a backslash in it is written "\\\\"');
  }
}

export function unreadable(reason: string): Fault {
  return invalid('invalidFilter', `The filter can't be read: ${reason}.`);
}

function tooComplex(reason: string): Fault {
  return invalid('invalidFilter', `The filter is ${reason}.`);
}
