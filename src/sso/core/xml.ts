/**
 * Reads XML strictly, namespaces and all, within limits: what SAML may look like, and nothing more. No document type, no
 * entity but the five, no comment, CDATA section or processing instruction (each has been used to make two parsers disagree);
 * no relative namespace, no repeated attribute, nothing behind the root. Who asks for it gets comments left out where they stand
 * between elements: in an element with text of its own they are refused there, too. Knows nothing of SAML.
 */

export interface XmlElement {
  /** '' for none. */
  namespace: string;
  name: string;
  /** By name; those of a namespace by `{namespace}name`. */
  attributes: ReadonlyMap<string, string>;
  children: readonly XmlElement[];
  /** What stands directly in it, whole. */
  text: string;
}

export interface XmlLimits {
  elementsMax: number;
  depthMax: number;
  /** Between elements. */
  comments?: 'left out';
}

export class XmlProblem extends Error {}

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const attributesMax = 64;
/** Of a whole document, for each element that it may have: what verifies a signature takes longer for attributes than for text. */
const attributesPerElementMax = 3;
/** In scope at a time. */
const prefixesMax = 64;
/** Nor NEL and LINE SEPARATOR: readers that know XML 1.1 take them for line ends. */
const notChar = /[^\t\n\r\u0020-\u0084\u0086-\u2027\u2029-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const declaration =
  /^<\?xml version="1\.0"(?: encoding="utf-8")?(?: standalone="(?:yes|no)")?[ \t\r\n]*\?>[ \t\r\n]*/i;
const name = '[A-Za-z_][\\w.-]*';
const tag = new RegExp(`<(/?)((?:${name}:)?${name})`, 'y');
const attribute = new RegExp(
  `[ \\t\\n]+((?:${name}:)?${name})[ \\t\\n]*=[ \\t\\n]*(?:"([^"<]*)"|'([^'<]*)')`,
  'y',
);
const tagEnd = /[ \t\n]*(\/?)>/y;
const characters = /[^<]+/y;
const spaces = ' \t\r\n';
const bareAmpersand = /&(?![^;&]{1,9};)/;
const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface OpenElement extends XmlElement {
  children: XmlElement[];
  tagName: string;
  hasComment: boolean;
  prefixes: ReadonlyMap<string, string>;
}

/** @throws XmlProblem */
export function readXml(text: string, limits: XmlLimits): XmlElement {
  if (notChar.test(text)) throw new XmlProblem('a character that XML does not have');
  const source = text.replace(declaration.exec(text)?.[0] ?? '', '').replaceAll(/\r\n?/g, '\n');
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let [elements, attributes] = [0, 0];
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < source.length) {
    const top = open.at(-1);
    const plain = take(characters)?.[0];
    if (plain !== undefined) {
      if (plain.includes(']]>')) throw new XmlProblem('"]]>" in text');
      if (top !== undefined) top.text += decode(plain);
      else if (trimXml(plain) !== '') throw new XmlProblem('text outside the root');
      continue;
    }
    const behind = limits.comments === 'left out' ? endOfComment(source, at) : undefined;
    if (behind !== undefined) {
      if (top !== undefined) top.hasComment = true;
      at = behind;
      continue;
    }
    const [, slash, tagName = ''] = take(tag) ?? [];
    if (slash === undefined) throw new XmlProblem('markup other than elements');
    if (slash === '/') {
      if (top?.tagName !== tagName || take(tagEnd)?.[1] !== '')
        throw new XmlProblem('an end without a start');
      // A reader that stops at the comment would read another text than one that doesn't.
      if (top.hasComment && trimXml(top.text) !== '') throw new XmlProblem('a comment within text');
      open.pop();
      continue;
    }
    if (root !== undefined && top === undefined) throw new XmlProblem('a second root');
    elements += 1;
    if (elements > limits.elementsMax) throw new XmlProblem(`more than ${limits.elementsMax} elements`);
    if (open.length >= limits.depthMax) throw new XmlProblem(`deeper than ${limits.depthMax}`);
    const written = readAttributes(() => take(attribute));
    attributes += written.size;
    if (attributes > limits.elementsMax * attributesPerElementMax)
      throw new XmlProblem('too many attributes');
    const element = startElement(tagName, written, top?.prefixes ?? new Map([['xml', xmlNamespace]]));
    root ??= element;
    top?.children.push(element);
    const end = take(tagEnd);
    if (end === null) throw new XmlProblem('a tag that can not be read');
    if (end[1] === '') open.push(element);
  }
  if (root === undefined || open.length > 0) throw new XmlProblem('it ends too early');
  return root;
}

/** Of one that begins there (XML 1.0 §2.5): no "--" stands within. */
function endOfComment(source: string, at: number): number | undefined {
  if (!source.startsWith('<!--', at)) return undefined;
  const end = source.indexOf('--', at + 4);
  return source.startsWith('-->', end) ? end + 3 : undefined;
}

function readAttributes(next: () => RegExpExecArray | null): Map<string, string> {
  const written = new Map<string, string>();
  for (let found = next(); found !== null; found = next()) {
    const [, attributeName = '', double, single] = found;
    if (written.has(attributeName)) throw new XmlProblem('an attribute twice');
    if (written.size >= attributesMax) throw new XmlProblem(`more than ${attributesMax} attributes`);
    written.set(attributeName, decode((double ?? single ?? '').replaceAll(/[\t\n]/g, ' ')));
  }
  return written;
}

function startElement(
  tagName: string,
  written: ReadonlyMap<string, string>,
  outer: ReadonlyMap<string, string>,
): OpenElement {
  const prefixes = prefixesIn(written, outer);
  const attributes = new Map<string, string>();
  for (const [attributeName, value] of written) {
    if (/^xmlns(:|$)/.test(attributeName)) continue;
    const [prefix, local] = split(attributeName);
    const key = prefix === '' ? local : `{${namespaceOf(prefixes, prefix)}}${local}`;
    if (attributes.has(key)) throw new XmlProblem('an attribute twice');
    attributes.set(key, value);
  }
  const [prefix, local] = split(tagName);
  const namespace = prefix === '' ? (prefixes.get('') ?? '') : namespaceOf(prefixes, prefix);
  return { namespace, name: local, attributes, children: [], text: '', tagName, hasComment: false, prefixes };
}

function prefixesIn(
  written: ReadonlyMap<string, string>,
  outer: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const declared = new Map<string, string>();
  for (const [attributeName, value] of written) {
    const prefix = attributeName === 'xmlns' ? '' : /^xmlns:(.*)$/.exec(attributeName)?.[1];
    if (prefix !== undefined) declare(declared, prefix, value);
  }
  if (declared.size === 0) return outer;
  const prefixes = new Map([...outer, ...declared]);
  if (prefixes.size > prefixesMax) throw new XmlProblem(`more than ${prefixesMax} prefixes`);
  return prefixes;
}

function declare(prefixes: Map<string, string>, prefix: string, namespace: string): void {
  if (prefix === 'xml' || prefix === 'xmlns') throw new XmlProblem('a reserved prefix');
  const isUndeclared = prefix === '' && namespace === '';
  if (!isUndeclared && !/^[a-z][a-z0-9+.-]*:./i.test(namespace)) throw new XmlProblem('a relative namespace');
  prefixes.set(prefix, namespace);
}

function namespaceOf(prefixes: ReadonlyMap<string, string>, prefix: string): string {
  const namespace = prefixes.get(prefix);
  if (namespace === undefined) throw new XmlProblem('an unknown prefix');
  return namespace;
}

function split(qualified: string): [prefix: string, local: string] {
  const colon = qualified.indexOf(':');
  return [qualified.slice(0, Math.max(0, colon)), qualified.slice(colon + 1)];
}

function decode(text: string): string {
  if (!text.includes('&')) return text;
  if (bareAmpersand.test(text)) throw new XmlProblem('an ampersand that refers to nothing');
  const decoded = text.replaceAll(/&([^;&]{1,9});/g, (_all, reference: string) => characterOf(reference));
  if (notChar.test(decoded)) throw new XmlProblem('an unknown entity');
  return decoded;
}

/** What can't be referred to comes out as NUL, which no document has; halves of a surrogate pair must not join, either. */
function characterOf(reference: string): string {
  if (Object.hasOwn(entities, reference)) return entities[reference] ?? '\0';
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(reference) ?? [];
  const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return point <= 0x10ffff && !isSurrogate ? String.fromCodePoint(point) : '\0';
}

/** Without the white space of XML at its ends (XML 1.0 §2.3): every other character, also what Unicode calls a space, is told apart. */
export function trimXml(text: string): string {
  let [start, end] = [0, text.length];
  // No regular expression: one that looks for the last white space begins again at each that is not the last.
  while (start < end && spaces.includes(text.charAt(start))) start += 1;
  while (end > start && spaces.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Text written so that it stands for itself, also in an attribute. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[<>&"']/g, (one) => `&#${one.charCodeAt(0)};`);
}
