/** What a token of a directory may do: OAuth's scopes, words between spaces (RFC 6749 §3.3). */

/** `scim` reads and writes, `scim.read` only reads. */
export const scopes = ['scim', 'scim.read'] as const;
export type Scope = (typeof scopes)[number];

export function mayWrite(scope: string): boolean {
  return words(scope).includes('scim');
}

/**
 * The scope that is granted: all that the client may have where it names none, else what it names.
 *
 * @returns undefined when it names what it may not have, or no scope at all.
 */
export function grantedScope(allowed: string, asked: string | undefined): string | undefined {
  const wanted = words(asked ?? '');
  if (wanted.length === 0) return allowed;
  const may = words(allowed);
  return wanted.every((word) => may.includes(word))
    ? may.filter((word) => wanted.includes(word)).join(' ')
    : undefined;
}

function words(scope: string): string[] {
  return scope.split(' ').filter((word) => word !== '');
}
