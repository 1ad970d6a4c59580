/** Numbered sets of mappings, drafts of sets, and what a draft becomes when others edited meanwhile. Pure. */

import type { Actor } from '../audit/audit-event.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import type { MappingDraftId, MappingId } from '../kernel/ids.ts';
import type { MappingDraft, StoredMapping } from './mapping-draft.ts';
import { asSet, type MappingSet } from './mapping-set.ts';

export interface MappingVersion {
  number: number;
  at: Date;
  actor: Actor;
  /** The action in the audit trail that made it. */
  cause: string;
  /** Mappings in it. */
  size: number;
}

/** What is written of a draft. */
export interface SetDraft {
  name: string;
  /** undefined: the newest, or where the draft is there already, the one that it has. */
  basedOn: number | undefined;
  /** undefined: those of the version that it is based on. A mapping with an id stands for the one of the base. */
  mappings: readonly (MappingDraft & { id: MappingId | null })[] | undefined;
  /** Of a department that is brought in. */
  department: string | null;
  /** The day on whose beginning it is activated unless told otherwise. */
  goLiveOn: string | null;
}

export interface StoredSetDraft extends Omit<SetDraft, 'basedOn' | 'mappings'> {
  id: MappingDraftId;
  basedOn: number;
  mappings: MappingSet;
  createdAt: Date;
  /** When it is activated by itself. */
  activateAt: Date | null;
  /** Over what was activated since its base. */
  rebase: boolean;
  /** Seats that it would have taken away when it was scheduled. */
  agreedLosses: number;
  activated: { version: number; at: Date } | null;
  /** Mappings that it made or changed when it was activated. */
  touched: readonly MappingId[];
  /** Why it could not be activated at its time. */
  failure: string | null;
}

/** How many people have what they have by the mappings of an activated draft. */
export interface DraftResult {
  people: number;
  held: number;
  overage: number;
  queued: number;
}

/** A mapping as it is written, its group not looked for yet. */
export function unbound({ group, ...rest }: MappingDraft & { id: MappingId }): StoredMapping {
  return {
    ...rest,
    groupId: 'id' in group ? group.id : null,
    groupDisplayName: 'displayName' in group ? group.displayName : null,
    groupExternalId: 'externalId' in group ? group.externalId : null,
    roleValue: 'roleValue' in group ? fold(group.roleValue) : null,
    claimValue: 'claim' in group ? fold(group.claim) : null,
  };
}

/** Whether both say the same; which group a name was bound to is no difference. */
export function isSame(a: StoredMapping | undefined, b: StoredMapping | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const areBound = a.groupId !== null && b.groupId !== null;
  const groupOf = (one: StoredMapping) =>
    areBound ? [one.groupId] : [one.groupDisplayName, one.groupExternalId, one.roleValue, one.claimValue];
  const print = (one: StoredMapping) => {
    const { priority, role, workspaces, fallbackRole, validFrom, validUntil, mayPreempt, approval, subPool } =
      one;
    const rest = [
      priority,
      role,
      workspaces,
      fallbackRole,
      validFrom,
      validUntil,
      mayPreempt,
      approval,
      subPool,
    ];
    return JSON.stringify([...groupOf(one), ...rest]);
  };
  return print(a) === print(b);
}

/**
 * What the draft changes of its base, made to what stands now.
 *
 * @throws Fault `conflict` where both changed one mapping, or a priority is taken meanwhile.
 */
export function merged(base: MappingSet, draft: MappingSet, now: MappingSet): MappingSet {
  const [was, wanted, is] = [base, draft, now].map((set) => new Map(set.map((one) => [one.id, one])));
  const ids = new Set([...base, ...draft, ...now].map(({ id }) => id));
  const kept = [...ids].flatMap((id) => {
    const [old, asked, current] = [was?.get(id), wanted?.get(id), is?.get(id)];
    if (isSame(old, asked) || isSame(asked, current)) return current ?? [];
    if (isSame(old, current)) return asked ?? [];
    throw new Fault('conflict', `Mapping ${id} was changed meanwhile, and the draft changes it too.`, {
      field: 'mappings',
    });
  });
  return asSet(kept);
}

export function refuseActivated({ activated }: StoredSetDraft): void {
  if (activated === null) return;
  throw new Fault('conflict', `The draft was activated as version ${activated.version}.`);
}

/** @throws Fault `conflict` when others activated a version since the draft's base. */
export function refuseStale(
  { basedOn }: Pick<StoredSetDraft, 'basedOn'>,
  newest: number,
  rebase: boolean,
): void {
  if (newest === basedOn || rebase) return;
  throw new Fault(
    'conflict',
    `The draft is based on version ${basedOn}, and version ${newest} is in force: look at it, then activate with rebase.`,
    { field: 'basedOn' },
  );
}

/** @throws Fault naming the mapping by its place. */
export function checkDraft(
  mappings: MappingSet,
  given: readonly (MappingId | null)[],
  base: MappingSet,
): void {
  const [known, ids, priorities] = [
    new Set(base.map(({ id }) => id)),
    new Set<MappingId>(),
    new Set<number>(),
  ];
  for (const [index, { id, priority }] of mappings.entries()) {
    const fail = (code: 'invalid' | 'conflict', name: string, text: string) =>
      new Fault(code, text, { field: `mappings.${index}.${name}` });
    if (given[index] !== null && !known.has(id)) {
      throw fail('invalid', 'id', `There is no mapping ${id} in the version that the draft is based on.`);
    }
    if (ids.has(id)) throw fail('invalid', 'id', `Mapping ${id} is there twice.`);
    if (priorities.has(priority)) throw fail('conflict', 'priority', `Priority ${priority} is there twice.`);
    ids.add(id);
    priorities.add(priority);
  }
}

/** When the draft is to be activated; null: now. */
export function activationOf({ goLiveOn }: StoredSetDraft, at: Date | null, now: Date): Date | null {
  const when = at ?? (goLiveOn === null ? null : new Date(`${goLiveOn}T00:00:00Z`));
  return when !== null && now < when ? when : null;
}
