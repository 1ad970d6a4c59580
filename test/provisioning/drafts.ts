/** What edits are written as: drafts for the flows, whose dates count from the world's now. */

import type { PeopleFile } from '../../src/imports/people-file.ts';
import { type GroupId, newId } from '../../src/kernel/ids.ts';
import type { ContractDraft } from '../../src/licensing/contract.ts';
import type { PinDraft } from '../../src/provisioning/edit.ts';
import type { Intake } from '../../src/provisioning/intake.ts';
import type { MappingDraft } from '../../src/provisioning/mapping-draft.ts';
import type { LineDraft } from '../../src/provisioning/prospect.ts';
import { defaultSettings, type Settings } from '../../src/tenants/settings.ts';
import { type TestWorld, usualContract } from '../support/tenants.ts';
import { addressOf, dayMs, dayOf, nameOf, pick } from './choices.ts';
import type { Edit, MappingChoice } from './edits.ts';
import type { State } from './state.ts';

type Of<K extends Edit['kind']> = Extract<Edit, { kind: K }>;

export function contractOf({ now }: TestWorld, edit: Of<'putContract'>): ContractDraft {
  const { paidSeats, policy, fallbackRole, graceDays, isEvaluation } = edit;
  const isAbove = ['grace', 'allow'].includes(policy);
  return {
    ...usualContract,
    ...{ paidSeats, policy, fallbackRole },
    startsOn: dayOf(now, edit.startsIn),
    endsOn: dayOf(now, edit.startsIn + edit.days),
    kind: isEvaluation ? 'evaluation' : 'annual',
    allowancePercent: isAbove ? 50 : null,
    graceDays: policy === 'grace' ? graceDays : null,
    evaluationGraceDays: graceDays,
    decreaseGraceDays: graceDays,
  };
}

export function lineOf({ now }: TestWorld, edit: Of<'addLine'>): LineDraft {
  const isAmendment = edit.line === 'amendment';
  return {
    ...{ kind: edit.line, setsSeats: isAmendment, paidSeats: edit.paidSeats },
    effectiveOn: dayOf(now, edit.startsIn),
    endsOn: isAmendment || edit.days === null ? null : dayOf(now, edit.startsIn + edit.days),
    ...{ tier: null, contractEndsOn: null, reason: 'test', documentReference: null },
  };
}

export function pinOf({ now }: TestWorld, { role, hours, reserved }: Of<'setPin'>): PinDraft {
  const until = hours === null ? null : new Date(now.getTime() + hours * 3_600_000);
  return { role, workspaces: null, reason: 'test', until, reserved };
}

/** Names of newcomers go by the step. */
export function fileOf(world: TestWorld, state: State, edit: Of<'importPeople'>, step: number): PeopleFile {
  const { now } = world;
  const seen = new Set<string>();
  const rows = edit.rows.flatMap(({ user, active, address, role, pin }, line) => {
    const userName = user === null ? `import${step}-${line}` : pick(state.users, user)?.user_name;
    if (userName === undefined || seen.has(userName)) return [];
    seen.add(userName);
    const intake: Intake = {
      id: newId(now.getTime()),
      userName,
      said: {
        ...(active === null ? {} : { active }),
        ...(address === null ? {} : { email: addressOf(address) }),
        ...(role === null ? {} : { roles: [`role${role}`] }),
      },
      pin: pin && {
        role: pin.role,
        workspaces: null,
        until: pin.hours === null ? null : new Date(now.getTime() + pin.hours * 3_600_000),
      },
    };
    return [{ line: line + 2, cells: [userName], intake }];
  });
  return { columns: ['userName'], rows };
}

export function settingsOf(state: State, { kind: _, exclusions, ...chosen }: Of<'putSettings'>): Settings {
  const names = exclusions.flatMap((n) => pick(state.users, n)?.user_name ?? []);
  return { ...defaultSettings, ...chosen, exclusions: names };
}

export function draftOf(
  { now }: TestWorld,
  state: State,
  { by, group, validFrom, validFor, subPool: name, ...choice }: MappingChoice,
): MappingDraft {
  const inDays = (days: number) => new Date(now.getTime() + days * dayMs);
  const [from, until] = [validFrom, validFor === null ? null : (validFrom ?? 0) + validFor];
  return {
    group: namedBy(state, by, group),
    ...{ role: choice.role, workspaces: choice.workspaces, priority: choice.priority },
    ...{ fallbackRole: choice.fallbackRole, mayPreempt: choice.mayPreempt, approval: choice.approval },
    subPool: state.sub_pools.find((one) => one.name === name)?.name ?? null,
    validFrom: from === null ? null : inDays(from),
    // One that has passed is refused.
    validUntil: until === null || until <= 0 ? null : inDays(until),
  };
}

function namedBy(state: State, by: MappingChoice['by'], n: number): MappingDraft['group'] {
  if (by === 'roleValue') return { roleValue: `Role${n % 3}` };
  if (by === 'claim') return { claim: `Claimed${n % 3}` };
  const known = pick(state.groups, n);
  return by === 'id' && known !== undefined ? { id: known.id as GroupId } : { displayName: nameOf(n) };
}
