/** Names of domains as they are compared: in ASCII (RFC 5890 A-labels), lower case, without a trailing dot. Exact: a subdomain is another domain. */

import { domainToASCII, domainToUnicode } from 'node:url';

/** RFC 1035 §2.3.4: 253 characters for a name, of which the record's own label takes 14. */
const lengthMax = 239;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The domain that `text` writes in one of its two forms; undefined: none. What turns into a domain only by mapping (percent signs, soft
 * hyphens, wide letters, paths) is none, so that no two texts that look different to a person name the same one.
 */
export function parseDomain(text: string): string | undefined {
  if (text.length > 4 * lengthMax) return undefined;
  const written = text.normalize('NFC').toLowerCase().replace(/\.$/, '');
  const domain = domainToASCII(written);
  if (domain !== written && domainToUnicode(domain) !== written) return undefined;
  const labels = domain.split('.');
  const isName = domain.length <= lengthMax && labels.length >= 2 && labels.every((one) => label.test(one));
  // An address has digits at its end.
  return isName && /[a-z]/.test(labels.at(-1) ?? '') ? domain : undefined;
}

/** The domain of an address or a userName that is one; undefined: it has none. */
export function domainOf(address: string): string | undefined {
  const [local, domain, ...more] = address.split('@');
  return local === '' || domain === undefined || more.length > 0 ? undefined : parseDomain(domain);
}

const secondLevels = 'ac co com edu gob gov gouv go id ltd mil ne net nhs nom or org plc sch'.split(' ');

/** Whether names below it are sold to anybody, as far as its form tells: `co.uk` and the like, and no list of all there are. */
export function isPublicSuffix(domain: string): boolean {
  const [second = '', top = '', ...more] = domain.split('.');
  return more.length === 0 && top.length === 2 && secondLevels.includes(second);
}

/** The record that shows whose a domain is. */
export function recordOf(domain: string, challenge: string): { name: string; value: string } {
  return { name: `_blue-gateway.${domain}`, value: `blue-gateway-verification=${challenge}` };
}
