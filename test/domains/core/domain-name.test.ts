/** Which texts are a domain, and which look like one. */

import { describe, expect, it } from 'vitest';
import { domainOf, isPublicSuffix, parseDomain } from '../../../src/domains/core/domain-name.ts';

describe('a domain', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['a.b.c.example.co.uk', 'a.b.c.example.co.uk'],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
  ])('is %j', (text, domain) => {
    expect(parseDomain(text)).toBe(domain);
  });

  it.each([
    ...[
      '',
      'com',
      '.',
      '..',
      'example.com..',
      '.example.com',
      'example..com',
      ' example.com',
      'exam ple.com',
    ],
    ...[
      '-a.com',
      'a-.com',
      '_dmarc.example.com',
      '*.example.com',
      `${'a'.repeat(64)}.com`,
      '127.0.0.1',
      '[::1]',
    ],
    ...[
      '1.2',
      'example.com:53',
      'https://example.com',
      'example.com/x',
      'ada@example.com',
      'example.com%2eevil.net',
    ],
    ...[
      'example.com\u0000',
      'exam\u00adple.com',
      '\uff45xample.com',
      'example\u3002com',

      'example.c\u200bom',
    ],
    `${'a.'.repeat(120)}com`,
  ])('is not %j', (text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  it.each(['co.uk', 'com.au', 'gov.nl', 'ac.jp'])(
    'is nobody’s where everybody has names below it: %s',
    (domain) => {
      expect(isPublicSuffix(domain)).toBe(true);
    },
  );
  it.each(['example.com', 'x.co.uk', 'co.com', 'a.nl'])('may be one organisation’s: %s', (domain) => {
    expect(isPublicSuffix(domain)).toBe(false);
  });
});

describe('the domain of an address', () => {
  it.each([
    ['Ada@Example.COM', 'example.com'],
    ['ada+blue@example.com', 'example.com'],
    ['ada_partner.com#EXT#@acme.onmicrosoft.com', 'acme.onmicrosoft.com'],
    ['ada@mail.example.com', 'mail.example.com'],
  ])('%s', (address, domain) => {
    expect(domainOf(address)).toBe(domain);
  });

  it.each([
    'ada',
    '@example.com',
    'ada@',
    'ada@evil.net@example.com',
    '"ada@evil.net"@example.com',
    'ada@com',
  ])('%s has none', (address) => {
    expect(domainOf(address)).toBeUndefined();
  });
});
