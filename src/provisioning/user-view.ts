/** A user as a whole: what the directory says, what was decided, and what is known of the person in Blue. */

import type { User } from '../directory/user.ts';
import type { GroupId } from '../kernel/ids.ts';
import type { Decision, SeatView } from '../licensing/effect.ts';

export type BlueState = 'none' | 'waiting' | 'invited' | 'active' | 'refused' | 'removed';

export interface UserView {
  user: User;
  address: string | null;
  /** Names of the directories that know the user. */
  sources: string[];
  /** Only when asked for. */
  groups: { id: GroupId; displayName: string }[];
  decision: Decision | null;
  seat: SeatView;
  /** Since when the breaker holds back what a directory says of the person; null: it does not. */
  stagedSince: Date | null;
  blue: { state: BlueState; code: string | null; detail: string | null };
}
