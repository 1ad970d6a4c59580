/** Where the OpenID provider is. */

export const issuerPath = '/oidc';

export function issuerOf(publicUrl: string): string {
  return `${publicUrl}${issuerPath}`;
}
