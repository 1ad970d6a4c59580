/** Sub-pools over HTTP: written, read, refused, and told to whoever asks why. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`];

it('keeps a share, shows its use, and is explained', async () => {
  const tenant = await gateway.createTenant();
  const base = `/tenants/${tenant.slug}`;
  const contract = (paidSeats: number) =>
    made(
      gateway.api('PUT', `${base}/contract`, {
        ...{ kind: 'annual', tier: 'T', paidSeats, startsOn: '2026-01-01', endsOn: '2099-12-31' },
        ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
      }),
    );
  await contract(4);
  const mapping = { role: 'team_member', workspaces: ['*'], priority: 1, subPool: 'R&D / Ops' };
  const group = { displayName: 'Engineering' };
  const create = () => gateway.api('POST', `${base}/mappings`, { ...mapping, group });
  expect((await create()).body).toMatchObject({ code: 'invalid', field: 'subPool' });

  const path = `${base}/sub-pools/${encodeURIComponent('R&D / Ops')}`;
  const written = await made(gateway.api('PUT', path, { seats: 1, borrowLimit: 1 }));
  const empty = { seats: 1, borrowLimit: 1, used: 0, borrowed: 0, lent: 0, overcommitted: 0 };
  expect(written).toEqual({ name: 'R&D / Ops', ...empty });
  expect((await gateway.api('PUT', path, { seats: -1 })).body).toMatchObject({ field: 'seats' });
  expect(await made(create())).toMatchObject({ subPool: 'R&D / Ops' });

  const token = await tenant.directoryToken('okta');
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const user = { schemas: schemas('User'), userName: `${name}@x.example` };
    ids.push((await made(gateway.scim(token, 'POST', '/Users', user))).id);
  }
  const members = ids.map((value) => ({ value }));
  await made(gateway.scim(token, 'POST', '/Groups', { schemas: schemas('Group'), ...group, members }));
  const { items, rest, overcommitted } = await made(gateway.api('GET', `${base}/sub-pools`));
  expect(items).toEqual([
    { name: 'R&D / Ops', ...{ seats: 1, borrowLimit: 1, used: 2, borrowed: 1, lent: 0 } },
  ]);
  expect([rest, overcommitted]).toEqual([{ seats: 3, used: 0, borrowed: 0, lent: 1 }, 0]);

  const told = await Promise.all(ids.map((id) => made(gateway.api('GET', `${base}/users/${id}/explain`))));
  const of = (reason: string) => told.find(({ reasons }) => reasons[0] === reason);
  expect(of('BORROWED').sentence).toContain('holds a seat beyond the 1 of the sub-pool "R&D / Ops"');
  const full = of('SUBPOOL_FULL:R&D / Ops');
  expect(full.sentence).toContain('the sub-pool "R&D / Ops" has the 2 seats that it may have');
  expect(full.smallestChange).toBe('One more seat for the sub-pool "R&D / Ops", of its own or to borrow.');

  await contract(2);
  const wanting = async () =>
    (await made(gateway.api('GET', `${base}/users/${ids[told.indexOf(full)]}/explain`))).smallestChange;
  expect(await wanting()).toBe(
    'Both one more seat for the sub-pool "R&D / Ops", of its own or to borrow, and one more seat in all.',
  );
  expect(await made(gateway.api('PUT', path, { seats: 3, borrowLimit: 1 }))).toMatchObject({
    used: 2,
    lent: 0,
  });
  expect(await wanting(), 'nobody else has a seat').toBe('One more seat.');

  expect((await gateway.api('DELETE', path)).body).toMatchObject({ code: 'conflict' });
  const { items: mappings } = await made(gateway.api('GET', `${base}/mappings`));
  expect((await gateway.api('DELETE', `${base}/mappings/${mappings[0].id}`)).status).toBe(204);
  expect((await gateway.api('DELETE', path)).status).toBe(204);
  expect((await gateway.api('GET', path)).status).toBe(404);
});
