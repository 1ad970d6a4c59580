/** A workspace keeps an administrator, whoever the directory takes away. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { seedOf } from '../demo/blue-double/support.ts';
import { type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

it('the last administrator is kept: the directory takes away the others, and of the owner nothing', async () => {
  const isOwner = ({ id }: { id: string }) => id === 'owner';
  const people = seedOf().people.filter(isOwner);
  const tokens = seedOf().tokens.filter(({ userId }) => userId === 'owner');
  const seed = seedOf({ people, tokens });
  const t = await s.tenant({ paidSeats: 5, seed, connection: { deactivation: 'leave_organization' } });
  const { group } = await t.role('project_administrator');
  const [ann, owner] = [await t.user('ann', [group]), await t.user('owner', [group])];
  await t.sync();
  t.double.state.accept('ann@acme.example');
  await syncNow(t.services, t.door(), { drift: true });
  const administrators = () =>
    t.double.state
      .members('w1')
      .filter(({ level }) => level === 'ADMIN' || level === 'OWNER')
      .map(({ email }) => email)
      .sort();
  expect(administrators()).toEqual(['ann@acme.example', 'owner@acme.example']);

  for (const id of [ann, owner]) await t.revise(id, { active: false });
  await t.sync();
  await syncNow(t.services, t.door(), { drift: true });
  expect(administrators()).toEqual(['owner@acme.example']);
  expect([await t.blue(ann), await t.blue(owner)]).toEqual(['removed', 'active PROTECTED']);
  await t.remove(owner);
  await t.sync();
  await syncNow(t.services, t.door(), { drift: true });
  expect(administrators()).toEqual(['owner@acme.example']);
});
