/** What the strict reader reads, what it refuses, and that neither takes long. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { escapeXml, readXml, type XmlElement, XmlProblem } from '../../../src/sso/core/xml.ts';

const bounds = { elementsMax: 2500, depthMax: 32 };
const read = (text: string) => readXml(text, bounds);

describe('it reads', () => {
  it('elements, namespaces and attributes', () => {
    const root = read(
      '<?xml version="1.0" encoding="utf-8"?>\n<a:x xmlns:a="urn:a" xmlns="urn:d" a:k="1" k="2"><y/></a:x>\n',
    );
    expect(root).toMatchObject({
      namespace: 'urn:a',
      name: 'x',
      children: [{ namespace: 'urn:d', name: 'y' }],
    });
    expect([...root.attributes]).toEqual([
      ['{urn:a}k', '1'],
      ['k', '2'],
    ]);
  });

  it('text whole, references as what they stand for, and line ends as one', () => {
    expect(read('<a>1<b/>2&amp;&#x41;&#66;\r\n</a>').text).toBe('12&AB\n');
    expect(read(`<a k='"&lt;\n'/>`).attributes.get('k')).toBe('"< ');
  });

  it('no namespace where the default one is taken back', () => {
    expect(read('<a xmlns="urn:a"><b xmlns=""/></a>').children[0]?.namespace).toBe('');
  });

  it('whatever text and attribute was escaped', () => {
    const character = fc
      .string({ unit: 'binary' })
      .filter((text) => !/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(text));
    fc.assert(
      fc.property(character, (text) => {
        const { attributes, text: inner } = read(`<a k="${escapeXml(text)}">${escapeXml(text)}</a>`);
        expect([attributes.get('k'), inner]).toEqual([text.replaceAll(/[\t\n]/g, ' '), text]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('it refuses', () => {
  it.each([
    ['a document type', '<!DOCTYPE a><a/>'],
    ['a comment', '<a><!-- x --></a>'],
    ['a CDATA section', '<a><![CDATA[x]]></a>'],
    ['a processing instruction', '<a><?x y?></a>'],
    ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>'],
    ['XML 1.1', '<?xml version="1.1"?><a/>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an entity of JavaScript’s', '<a>&constructor;</a>'],
    ['a bare ampersand', '<a>a & b</a>'],
    ['a reference to NUL', '<a>&#0;</a>'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>'],
    ['halves of a surrogate pair', '<a>&#xD83D;&#xDE00;</a>'],
    ['a control character', '<a>\u0001</a>'],
    ['half a surrogate pair', '<a>\ud800</a>'],
    ['an attribute twice', '<a k="1" k="2"/>'],
    ['an attribute twice under two prefixes', '<a xmlns:p="urn:x" xmlns:q="urn:x" p:k="1" q:k="2"/>'],
    ['an unknown prefix', '<p:a/>'],
    ['another meaning of xml', '<a xmlns:xml="urn:x"/>'],
    ['a relative namespace', '<a xmlns="x"/>'],
    ['a prefix of no namespace', '<a xmlns:p=""/>'],
    ['two roots', '<a/><b/>'],
    ['text behind the root', '<a/>x'],
    ['text before the root', 'x<a/>'],
    ['an end of another name', '<a></b>'],
    ['an end too many', '<a/></a>'],
    ['no end', '<a>'],
    ['no root', ''],
    ['"<" in an attribute', '<a k="<"/>'],
    ['"]]>" in text', '<a>]]></a>'],
    ['an attribute without quotes', '<a k=v/>'],
    ['attributes without space between them', '<a k="1"l="2"/>'],
  ])('%s', (_what, text) => {
    expect(() => read(text)).toThrow(XmlProblem);
  });

  it('what is no document with no other error than its own', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ':',
      '=',
      '"',
      "'",
      '&',
      ';',
      ' ',
      'xmlns',
      'urn:x',
      '<a>',
      '</a>',
      '!',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          read(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(XmlProblem);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('hostile sizes', () => {
  it('more attributes than a signature is verified over in a moment, and more prefixes than are in use', () => {
    const many = (n: number, of: (at: number) => string) =>
      Array.from({ length: n }, (_, at) => of(at)).join('');
    const value = `<b${many(60, (at) => ` k${at}=""`)}/>`;
    expect(() => read(`<a>${value.repeat(450)}</a>`)).toThrow('too many attributes');
    expect(() => read(`<a>${'<b k="" l="" m=""/>'.repeat(2000)}</a>`)).not.toThrow();
    const declaring = (from: number) => `<b${many(40, (at) => ` xmlns:p${from + at}="urn:x"`)}>`;
    expect(() => read(`<a>${declaring(0)}${declaring(40)}</b></b></a>`)).toThrow('prefixes');
  });

  const size = limits.samlBytesMax;
  it.each([
    ['300,000 elements', '<a/>'.repeat(300_000)],
    ['100,000 deep', '<a>'.repeat(100_000)],
    ['one long text', 'x'.repeat(size)],
    ['ampersands', '&'.repeat(size)],
    ['references', '&#65;'.repeat(size / 5)],
    ['blanks in a tag', `<b${' '.repeat(size)}`],
    ['attributes', `<b ${Array.from({ length: size / 10 }, (_, n) => `a${n}=""`).join(' ')}`],
    ['a name', `<${'a'.repeat(size)}`],
    ['an open quote', `<b k="${'x'.repeat(size)}`],
    ['namespaces at each depth', Array.from({ length: 60 }, (_, n) => `<b xmlns:p${n}="urn:${n}">`).join('')],
  ])('%s: under 100 ms', (what, inner) => {
    const began = process.threadCpuUsage().user;
    let found: XmlElement | unknown;
    try {
      found = read(`<root>${inner}</root>`);
    } catch (error) {
      found = error;
    }
    expect((process.threadCpuUsage().user - began) / 1000).toBeLessThan(100);
    expect(found instanceof XmlProblem || ['one long text', 'references'].includes(what)).toBe(true);
  });
});
