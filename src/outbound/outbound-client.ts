/**
 * What every connection to an address that somebody gave us goes through. A name is resolved once and the connection is
 * made to the very addresses that were looked at, so that a name can't lead elsewhere between the check and the
 * connection. Unless private networks are allowed, loopback and private addresses and plain http are refused.
 */

import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { Fault } from '../kernel/fault.ts';
import { isPublicAddress } from './public-address.ts';

/** The gateway does not connect there; the message names the host and why. */
export class OutboundRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OutboundRefused';
  }
}

export interface OutboundOptions {
  /** Lets loopback and private addresses through, and plain http to those. */
  allowPrivateNetworks: boolean;
  /** Resolves all addresses of a name; the system's by default. */
  resolve?: Resolve;
}

type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const resolveBySystem: Resolve = (hostname, done) => lookup(hostname, { all: true }, done);

/** A dispatcher for undici's `request`, whose connections fail with OutboundRefused where they must not be made. */
export function outboundAgent({ allowPrivateNetworks, resolve = resolveBySystem }: OutboundOptions): Agent {
  const secureRule: Rule = (address) => allowPrivateNetworks || isPublicAddress(address);
  const plainRule: Rule = (address) => allowPrivateNetworks && !isPublicAddress(address);
  const connectors = {
    'https:': [secureRule, buildConnector({ lookup: checkedLookup(secureRule, resolve) })],
    'http:': [plainRule, buildConnector({ lookup: checkedLookup(plainRule, resolve) })],
  } as const;
  return new Agent({
    connect: (options, done) => {
      const [rule, connect] = connectors[options.protocol === 'https:' ? 'https:' : 'http:'];
      const host = options.hostname.replace(/^\[|\]$/g, '');
      // An address in the URL is never looked up, so that it is checked here.
      if (isIP(host) !== 0 && !rule(host)) done(refused(host), null);
      else connect(options, done);
    },
  });
}

type Rule = (address: string) => boolean;

/** One address that may not be reached refuses the name: a mixed answer is no accident. */
function checkedLookup(rule: Rule, resolve: Resolve): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) return done(error, []);
      if (first === undefined || !addresses.every(({ address }) => rule(address))) {
        return done(refused(hostname), []);
      }
      return options.all ? done(null, addresses) : done(null, first.address, first.family);
    });
  };
}

function refused(host: string): OutboundRefused {
  return new OutboundRefused(
    `the gateway does not connect to ${host}: private networks and plain http are not allowed`,
  );
}

/**
 * Checks what can be told of a URL before anything connects: form, protocol, and an address in it.
 *
 * @param field The request's field that holds it.
 * @throws Fault `invalid` naming the field.
 */
export function checkOutboundUrl(
  url: string,
  field: string,
  { allowPrivateNetworks }: Pick<OutboundOptions, 'allowPrivateNetworks'>,
): void {
  const fail = (problem: string) => new Fault('invalid', `${field} ${problem}.`, { field });
  if (!URL.canParse(url)) throw fail('must be a URL');
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') throw fail('must not hold credentials');
  if (protocol !== 'https:' && !(protocol === 'http:' && allowPrivateNetworks)) {
    throw fail('must be an https URL');
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = host === 'localhost' || host.endsWith('.localhost');
  if (!allowPrivateNetworks && (isLocal || (isIP(host) !== 0 && !isPublicAddress(host)))) {
    throw fail('must not lead to a loopback or private address');
  }
}

/** As `checkOutboundUrl`, for the identifier of an issuer, to which the path of its discovery document is added. @throws Fault */
export function checkIssuer(
  issuer: string,
  field: string,
  options: Pick<OutboundOptions, 'allowPrivateNetworks'>,
): void {
  checkOutboundUrl(issuer, field, options);
  if (/[?#\s]/.test(issuer)) {
    throw new Fault('invalid', `${field} must have no query, fragment or blank.`, { field });
  }
}
