/** The gateway's own keys of a connection: which of them are told to the identity provider, and which is used. */

export const keyUses = ['signing', 'encryption'] as const;
export type KeyUse = (typeof keyUses)[number];
export const keyStates = ['next', 'current', 'previous'] as const;
export type KeyState = (typeof keyStates)[number];

/** The public half. */
export interface ConnectionKey {
  id: string;
  use: KeyUse;
  /** Of each use there is one of each at most. */
  state: KeyState;
  /** PEM. */
  certificate: string;
  createdAt: Date;
  expiresAt: Date;
}

export function currentKey(keys: readonly ConnectionKey[], use: KeyUse): ConnectionKey | undefined {
  return keys.find((key) => key.use === use && key.state === 'current');
}

/**
 * What our metadata shows: the next signing key too, so that its signatures are known before there are any. Of the keys for
 * encryption the current one alone: the others can still decrypt.
 */
export function publishedKeys(keys: readonly ConnectionKey[]): readonly ConnectionKey[] {
  return keys.filter(({ use, state }) => state === 'current' || (use === 'signing' && state === 'next'));
}
