/**
 * What an edit replaces, so that whoever approves it later does not overwrite what others wrote meanwhile: which entries of the trail
 * tell that it was changed, and how the refusal says so. Pure.
 */

import { type Actor, nameOf } from '../audit/audit-event.ts';
import { unreachable } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import type { MappingDraftId, MappingId, UserId } from '../kernel/ids.ts';
import { startOf } from '../licensing/contract-day.ts';
import type { Edit } from './edit.ts';

/** As it is kept with the request. */
export type Replaced =
  | { what: 'contract' /** The first day of what is signed. */; from?: string }
  | { what: 'settings' | 'mappings' | 'blue' }
  | { what: 'mapping'; id: MappingId }
  | { what: 'draft'; id: MappingDraftId }
  | { what: 'subPool'; id: string }
  | { what: 'pin'; id: UserId }
  /** Of people by their userNames, folded. */
  | { what: 'pins'; names: string[] };

/** null: it adds to what stands, which it does not replace, or never waits. */
export function replacedBy(edit: Edit): Replaced | null {
  switch (edit.op) {
    case 'contract':
      return { what: 'contract', from: edit.contract.startsOn };
    case 'withdrawal':
      return { what: 'contract' };
    case 'settings':
      return { what: 'settings' };
    case 'update':
    case 'delete':
      return { what: 'mapping', id: edit.id };
    case 'reorder':
    case 'rollback':
      return { what: 'mappings' };
    case 'draft':
      return { what: 'draft', id: edit.id };
    case 'subPool':
      return { what: 'subPool', id: edit.subPool.name };
    case 'removeSubPool':
      return { what: 'subPool', id: edit.name };
    // Also where there is none yet: one may come to be there.
    case 'pin':
    case 'unpin':
      return { what: 'pin', id: edit.userId };
    case 'defaultWorkspaces':
      return { what: 'blue' };
    case 'import': {
      const names = edit.people.flatMap(({ userName, pin }) => (pin === null ? [] : [fold(userName)]));
      return names.length === 0 ? null : { what: 'pins', names };
    }
    case 'amendment':
    case 'create':
    case 'settle':
    // Whoever has a pin by then is refused.
    case 'adopt':
    // The operators', which waits for nobody.
    case 'catalogue':
      return null;
    default:
      return unreachable(edit);
  }
}

/** Actions of the trail by which it is changed. */
export interface Changing {
  /** Whatever they were done to. */
  any: readonly string[];
  /** Done to it alone. */
  own: readonly string[];
}

const ofSet = ['mapping.reordered', 'mapping_version.rolled_back', 'mapping_draft.activated'];
const ofOne = ['mapping.updated', 'mapping.deleted'];
const ofMappings = [...ofSet, ...ofOne, 'mapping.created'];

/** Each of them stands in the index of migrations/0043. */
const changing: Record<Replaced['what'], Changing> = {
  contract: {
    any: ['contract.written', 'contract.amended', 'contract.line_added', 'contract.line_withdrawn'],
    own: [],
  },
  settings: { any: ['settings.written'], own: [] },
  mapping: { any: ofSet, own: ofOne },
  mappings: { any: ofMappings, own: [] },
  // What is approved is the draft as it was, not what was written into it since.
  draft: {
    any: ofMappings,
    own: ['mapping_draft.updated', 'mapping_draft.deleted', 'mapping_draft.scheduled'],
  },
  subPool: { any: [], own: ['sub_pool.written', 'sub_pool.deleted'] },
  pin: { any: [], own: ['pin.set', 'pin.removed'] },
  pins: { any: [], own: ['pin.set', 'pin.removed'] },
  blue: { any: ['blue.written'], own: [] },
};

export function changingOf({ what }: Replaced): Changing {
  return changing[what];
}

export const changingActions: readonly string[] = [
  ...new Set(Object.values(changing).flatMap(({ any, own }) => [...any, ...own])),
].sort();

/** What the trail says of a change. */
export interface Change {
  action: string;
  actor: Actor;
  at: Date;
}

const names: Record<Replaced['what'], string> = {
  contract: 'The contract',
  settings: 'The settings',
  mapping: 'The mapping',
  mappings: 'The mappings',
  draft: 'The draft, or the mappings that it replaces,',
  subPool: 'The sub-pool',
  pin: 'The pin of this person',
  pins: 'A pin that the file gives anew',
  blue: 'The connection to Blue',
};

export function outdated({ what }: Replaced, { action, actor, at }: Change): Fault {
  const who = `${action} by ${nameOf(actor)} at ${at.toISOString()}`;
  const text = `${names[what]} changed after this edit was asked for (${who}), and approving it would undo that. The request is over: look at what stands now, and ask again.`;
  return new Fault('conflict', text);
}

/**
 * The refusal of what was signed ahead when it was asked for, and is not any more: it would take the place of what was in force until
 * then. undefined: it says what it said.
 */
export function begunSince(replaces: Replaced, askedAt: Date, now: Date): Fault | undefined {
  if (replaces.what !== 'contract' || replaces.from === undefined) return undefined;
  const begins = startOf(replaces.from);
  if (begins <= askedAt || now < begins) return undefined;
  const text = `The contract was to begin on ${replaces.from}, which has come since this edit was asked for: it would take the place of what was in force until then. The request is over: look at what stands now, and ask again.`;
  return new Fault('conflict', text);
}
