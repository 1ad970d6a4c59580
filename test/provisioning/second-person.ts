/** The two-person rule over random edits: one key asks, another decides. What is asked for is kept as the edit itself. */

import { peopleOf } from '../../src/imports/people-file.ts';
import type { Edit as GatedEdit } from '../../src/provisioning/edit.ts';
import { approveRequest, gateEdit, refuseRequest } from '../../src/provisioning/edit-gate-flow.ts';
import { type TestWorld, testActor } from '../support/tenants.ts';
import { connect } from './adopt-drift.ts';
import { pick } from './choices.ts';
import { contractOf, fileOf, lineOf, pinOf, settingsOf } from './drafts.ts';
import type { Edit } from './edits.ts';
import type { State } from './state.ts';

/** Keys older than any rule. */
const [asker, approver] = ['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002'];

/** Whether the edit waits for a second person instead of being made. */
export async function isKept(world: TestWorld, state: State, edit: Edit): Promise<boolean> {
  const gated = state.settings.two_person_rule ? gatedOf(world, state, edit) : undefined;
  if (gated === undefined) return false;
  if (gated.op === 'adopt') await connect(world);
  const door = { ...world.door, actor: testActor };
  const call = { method: 'PUT', path: '/test', body: edit } as const;
  const request = await gateEdit(world.database, door, {
    ...{ edit: gated, call, askedBy: [asker], isConfirmed: true },
  });
  return request !== undefined;
}

function gatedOf(world: TestWorld, state: State, edit: Edit): GatedEdit | undefined {
  switch (edit.kind) {
    case 'putContract':
      return { op: 'contract', contract: contractOf(world, edit) };
    case 'addLine':
      return state.contract === undefined ? undefined : { op: 'amendment', line: lineOf(world, edit) };
    case 'setPin': {
      const user = pick(state.users, edit.user);
      return user?.active ? { op: 'pin', userId: user.id, pin: pinOf(world, edit) } : undefined;
    }
    case 'importPeople':
      return { op: 'import', people: peopleOf(fileOf(world, state, edit, 0)) };
    case 'adopt':
      return { op: 'adopt', blueUserIds: ['b'] };
    case 'putSettings':
      return { op: 'settings', settings: settingsOf(state, edit) };
    default:
      return undefined;
  }
}

export async function decideRequest(
  world: TestWorld,
  id: string,
  isApproved: boolean,
  make: (edit: Edit) => Promise<boolean>,
): Promise<void> {
  const { database, door } = world;
  if (!isApproved) {
    await refuseRequest(database, door, id);
    return;
  }
  await approveRequest(database, { ...door, lineage: [approver] }, id, async ({ body }) => ({
    isMade: await make(body as Edit),
    answer: undefined,
  }));
}
