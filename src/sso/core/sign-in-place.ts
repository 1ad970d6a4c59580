/**
 * Through which connection a browser signs in, so that "Sign in again" leads there: as a path names it, and as a cookie remembers it.
 * It is no secret, and says nothing of a person.
 */

import { type ConnectionId, parseId } from '../../kernel/ids.ts';
import { type Connection, loginUrlOf } from '../connection.ts';

export type SignInPlace = Pick<Connection, 'id' | 'protocol'>;

export function writePlace({ protocol, id }: SignInPlace): string {
  return `${protocol}.${id}`;
}

/** @param text As a browser says it. undefined: it names none. */
export function readPlace(text: string | undefined): SignInPlace | undefined {
  const [, protocol, id = ''] = /^(saml|oidc)\.(.*)$/.exec(text ?? '') ?? [];
  const known = parseId<ConnectionId>(id);
  if (known === undefined || (protocol !== 'saml' && protocol !== 'oidc')) return undefined;
  return { protocol, id: known };
}

/** Of a request for something of a connection. @param url Without its origin. */
export function placeInPath(url: string): SignInPlace | undefined {
  const [, protocol, id] = /^\/sso\/(saml|oidc)\/([^/?]*)\//i.exec(url) ?? [];
  return protocol === undefined ? undefined : readPlace(`${protocol.toLowerCase()}.${id}`);
}

/** A path of ours, whatever was said. */
export function loginPathOf(place: SignInPlace | undefined): string {
  return place === undefined ? '/sso/login' : loginUrlOf('', place);
}
