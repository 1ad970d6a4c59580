/** What an explanation promises comes true: with the seats it names the person has one, and with one fewer not. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`];

it.each(['queue', 'fallback', 'block'])('under %s, above the capacity and below', async (policy) => {
  const tenant = await gateway.createTenant();
  const base = `/tenants/${tenant.slug}`;
  const contract = (paidSeats: number) =>
    made(
      gateway.api('PUT', `${base}/contract`, {
        kind: 'annual',
        tier: 'T',
        paidSeats,
        startsOn: '2026-01-01',
        endsOn: '2099-12-31',
        paymentSchedule: 'annual',
        overage: { policy },
        fallbackRole: 'view_only',
      }),
    );
  await contract(3);
  const token = await tenant.directoryToken('okta');
  const group = { displayName: 'Engineering' };
  await made(
    gateway.api('POST', `${base}/mappings`, { group, role: 'team_member', workspaces: ['*'], priority: 1 }),
  );
  // One after the other, so that it is known who has the seats and who waits in which place.
  const { id: groupId } = await made(
    gateway.scim(token, 'POST', '/Groups', { schemas: schemas('Group'), ...group }),
  );
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const user = { schemas: schemas('User'), userName: `${name}@x.example` };
    // Before the seats are gone: under `block` nobody is created who wants one.
    ids.push((await made(gateway.scim(token, 'POST', '/Users', user))).id);
  }
  for (const value of ids) {
    const Operations = [{ op: 'add', path: 'members', value: [{ value }] }];
    const patch = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations };
    await made(gateway.scim(token, 'PATCH', `/Groups/${groupId}`, patch));
  }
  const explained = (id: string) => made(gateway.api('GET', `${base}/users/${id}/explain`));
  const [first = '', second = ''] = ids.slice(3);

  expect((await explained(first)).smallestChange).toBe('One more seat.');
  await contract(1);
  expect((await gateway.api('GET', `${base}/seats`)).body).toMatchObject({ capacity: 1, held: 3, queued: 2 });
  const [one, two] = [await explained(first), await explained(second)];
  expect(one.smallestChange).toBe('3 more seats.');
  expect(two.smallestChange).toMatch(/^4 more seats, or 3 and a mapping of better priority/);
  expect([one.queue.ahead, two.queue.ahead.map(({ id }: { id: string }) => id)]).toEqual([[], [first]]);
  expect(two.queue.position).toBe(policy === 'queue' ? 2 : null);

  const seatOf = async (id: string) => (await made(gateway.api('GET', `${base}/users/${id}`))).seat.state;
  await contract(3);
  expect(await seatOf(first), 'with one fewer than was said').not.toBe('held');
  await contract(4);
  expect([await seatOf(first), await seatOf(second)]).toEqual(['held', expect.not.stringMatching('held')]);
  expect((await explained(first)).smallestChange).toBeNull();
  await contract(5);
  expect(await seatOf(second)).toBe('held');
});
