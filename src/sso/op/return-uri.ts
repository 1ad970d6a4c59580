/** Addresses of applications that browsers are sent back to (RFC 9700 §2.1, RFC 8252 §7.3). */

const loopback = ['127.0.0.1', '[::1]', 'localhost'];

/** What is wrong with it; undefined: nothing. */
export function returnUriProblem(uri: string): string | undefined {
  if (!URL.canParse(uri)) return 'must be URLs';
  const { protocol, hostname, username, password, href, origin } = new URL(uri);
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback.includes(hostname))) {
    return 'must be https URLs, or http URLs at a loopback address';
  }
  if (username !== '' || password !== '') return 'must not hold credentials';
  if (uri.includes('#')) return 'must not have a fragment';
  // As browsers will write it, since it is compared with what they bring.
  if (href !== uri && `${origin}/` !== `${uri}/`) return `must be written as ${href}`;
  return undefined;
}
