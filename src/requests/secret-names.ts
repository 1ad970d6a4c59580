/** Which names stand for secrets, and where secrets stand in a filter. Knows words, no schemas: pure. */

export const removedText = '[removed]';

const nameLengthMax = 1024;
/** In a name without anything but letters and digits. A secretary is none. */
const secretWords =
  /password|passwd|passphrase|pwd|secret(?!ar)|token|assertion|authorization|credential|apikey|privatekey/;

/** Whether a name, the last part of a dotted or URN name included, is that of a secret; of one too long to tell, too. */
export function isSecretName(name: string): boolean {
  return name.length > nameLengthMax || holdsSecretWord(name);
}

/** Letters of other widths and what stands between letters don't hide a word. */
export function holdsSecretWord(text: string): boolean {
  return secretWords.test(
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, ''),
  );
}

/** What was taken out of a call: an answer that repeats it is cleaned of it too. */
export type Findings = string[];
const findingsMax = 100;

export function note(findings: Findings, secret: string): void {
  if (findings.length < findingsMax && secret !== '') findings.push(secret);
}

/** Our own tokens, keys and client secrets, wherever they stand. */
export function withoutTokens(text: string): string {
  return text.includes('bgw_') ? text.replace(/bgw_[a-z]+_[\w-]*/g, removedText) : text;
}

/** The parts of a filter, each character in one: quoted texts, brackets, space, and words. */
const filterPart = /"(?:[^"\\]|\\.)*"?|[()[\]]|\s+|[^\s()[\]"]+/gs;
const operators: ReadonlySet<string> = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);
const joints: ReadonlySet<string> = new Set(['and', 'or', 'not', 'pr', '(', ')', '[', ']']);
/** Last parts of names that say nothing themselves. */
const harmless: ReadonlySet<string> = new Set([
  ...['password', 'userpassword', 'secret', 'clientsecret', 'token', 'accesstoken', 'refreshtoken'],
  ...['assertion', 'authorization', 'credential', 'credentials'],
]);

interface FilterPart {
  text: string;
  isSpace: boolean;
  isQuoted: boolean;
  /** Stands where a comparison has its value. */
  isValue: boolean;
  /** Stands where something is compared or looked into. */
  isName: boolean;
}

/**
 * A filter, or a path with one: where it speaks of a secret, everything is removed but names, operators and brackets.
 * It is read loosely, since what the gateway refuses is recorded too.
 */
export function redactFilter(text: string, findings: Findings): string {
  const parts = readParts(text);
  if (!speaksOfSecret(parts)) return text;
  return parts
    .map((part, index) => {
      if (isKept(part, parts[index - 1])) return part.text;
      note(findings, part.text);
      if (part.isQuoted) note(findings, unquoted(part.text));
      return part.isQuoted ? `"${removedText}"` : removedText;
    })
    .join('');
}

/** Whether a path of a PATCH operation, or a filter, names a secret. */
export function namesSecret(path: string): boolean {
  return path.length > 4 * nameLengthMax || speaksOfSecret(readParts(path));
}

function speaksOfSecret(parts: readonly FilterPart[]): boolean {
  const words = parts.filter(({ isQuoted, isValue }) => !(isQuoted && isValue));
  return holdsSecretWord(words.map(({ text }) => text).join(''));
}

function readParts(text: string): FilterPart[] {
  const parts = (text.match(filterPart) ?? []).map((part) => ({
    text: part,
    isSpace: /^\s/.test(part),
    isQuoted: part.startsWith('"'),
    isValue: false,
    isName: false,
  }));
  const words = parts.filter(({ isSpace }) => !isSpace);
  for (const [index, part] of words.entries()) {
    part.isValue = operators.has(words[index - 1]?.text.toLowerCase() ?? '');
    const next = words[index + 1]?.text.toLowerCase() ?? '';
    part.isName = !part.isValue && (operators.has(next) || next === 'pr' || next === '[');
  }
  return parts;
}

function isKept({ text, isSpace, isQuoted, isValue, isName }: FilterPart, before?: FilterPart): boolean {
  if (isSpace) return true;
  if (isQuoted || isValue) return false;
  const word = text.toLowerCase();
  if (isName || operators.has(word) || joints.has(word)) return true;
  if (before?.text === ']' && /^\.[a-z]+$/.test(word)) return true;
  return harmless.has(word.split(/[.:]/).at(-1) ?? '') && /^[\w.:]+$/.test(word);
}

/** What a quoted text means, as far as it can be read. */
function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.replaceAll('"', '');
  }
}
