/** The provider's keys, of which each new one is published before it signs, and kept until nothing it signed is shown any more. */

import { limits } from '../../kernel/limits.ts';

export interface PrivateJwk {
  [member: string]: string;
  kid: string;
}

export interface KeyTimes {
  generation: number;
  kid: string;
  signsFrom: Date;
}

export type KeyState = 'next' | 'signing' | 'retiring' | 'retired';

/** An ID token is shown again at logout, at the latest when the session that it was issued in is over. */
const shownForMs = (limits.sessionHoursMax + 1) * 3_600_000;

/** @param keys In the order in which they sign. */
export function statesOf<K extends KeyTimes>(keys: readonly K[], now: Date): (K & { state: KeyState })[] {
  const signing = keys.findLastIndex(({ signsFrom }) => signsFrom <= now);
  return keys.map((key, index) => {
    if (index >= signing) return { ...key, state: index === signing ? 'signing' : 'next' };
    const until = (keys[index + 1]?.signsFrom.getTime() ?? 0) + shownForMs;
    return { ...key, state: now.getTime() < until ? 'retiring' : 'retired' };
  });
}
