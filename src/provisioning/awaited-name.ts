/** By what a mapping waits for its group. Pure. */

import { displayNameOf } from '../directory/group.ts';
import { fold } from '../kernel/fold.ts';
import type { JsonObject } from '../kernel/json.ts';

export interface AwaitedName {
  displayNameKey: string;
  externalId: string | null;
}

interface Named {
  attributes: JsonObject;
  externalId: string | null;
}

export function awaitedName({ attributes, externalId }: Named): AwaitedName {
  return { displayNameKey: fold(displayNameOf(attributes)), externalId };
}

export function isRename(current: Named, draft: Named): boolean {
  const [before, after] = [awaitedName(current), awaitedName(draft)];
  return before.displayNameKey !== after.displayNameKey || before.externalId !== after.externalId;
}
