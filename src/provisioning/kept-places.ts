/** Until when the places are kept of people who lose their last paid role by a write. Pure. */

import type { Door } from '../audit/door.ts';
import type { Pool } from './pool.ts';

/** Of people whom it moves: only an identity provider moves people in several steps, whether it pushes them or vouches for them. */
export function keepUntilOf({ actor, now }: Door, { rules }: Pick<Pool, 'rules'>): Date | null {
  if ((actor.kind !== 'directory' && actor.kind !== 'connection') || rules.holdMinutes === 0) return null;
  return new Date(now.getTime() + rules.holdMinutes * 60_000);
}

/** A group that is deleted may come back under its name, as when a push of groups is set up again. */
export function tombstoneUntil({ now }: Door, { rules }: Pick<Pool, 'rules'>): Date | null {
  return rules.tombstoneHours === 0 ? null : new Date(now.getTime() + rules.tombstoneHours * 3_600_000);
}
