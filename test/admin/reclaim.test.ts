/** Seats that lie idle over HTTP, with the clock moved by an operator: the list, keep, undo, and the explanation. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli/support.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let ids: string[];

beforeAll(async () => {
  gateway = await startGateway({ config: { testClock: true } });
});
afterAll(() => gateway.close());

const api = (method: string, path: string, body?: unknown) =>
  made(gateway.api(method, `/tenants/${tenant.slug}${path}`, body));
const on = (date: string) => made(gateway.api('PUT', '/clock', { now: `${date}T12:00:00Z` }));

/** Ann and Ben have the two seats since the first of March; Cem waits. */
beforeEach(async () => {
  tenant = await gateway.createTenant();
  await on('2090-03-01');
  await api('PUT', '/settings', { reclaimDays: 30 });
  await api('PUT', '/contract', {
    ...{ kind: 'annual', tier: 'T', paidSeats: 2, startsOn: '2090-01-01', endsOn: '2090-12-31' },
    ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
  });
  await api('POST', '/mappings', {
    ...{ group: { displayName: 'Eng' }, role: 'team_member', priority: 1, workspaces: ['w'] },
  });
  const token = await tenant.directoryToken('okta');
  ids = [];
  for (const name of ['ann', 'ben', 'cem']) {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const user = { schemas, userName: `${name}@acme.example`, displayName: name, active: true };
    ids.push((await made(gateway.scim(token, 'POST', '/Users', user))).id);
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  const group = await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Eng' }));
  for (const value of ids) {
    await made(
      gateway.scim(token, 'PATCH', `/Groups/${group.id}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'add', path: 'members', value: [{ value }] }],
      }),
    );
  }
});

const states = async (query = '') => {
  const { items } = await api('GET', `/reclaims${query}`);
  return items.map(({ userName, state }: { userName: string; state: string }) => `${userName[0]} ${state}`);
};
const explained = (n: number) => api('GET', `/users/${ids[n]}/explain`);

it('lists who was asked, and whose seat was taken, as the days pass', async () => {
  expect(await states()).toEqual([]);
  await on('2090-04-01');
  const { items, nextCursor } = await api('GET', '/reclaims?state=noticed&limit=1');
  expect(items).toEqual([
    {
      ...{ userId: ids[0], userName: 'ann@acme.example', state: 'noticed', lastSeenAt: null, reminders: 0 },
      since: expect.stringMatching(/^2090-04-01T12:00/),
      noticedAt: expect.stringMatching(/^2090-04-01T12:00/),
      nextStepAt: expect.stringMatching(/^2090-04-08T12:00/),
      ...{ takenAt: null, undoUntil: null, rankKeptUntil: null },
    },
  ]);
  expect((await api('GET', `/reclaims?state=noticed&cursor=${nextCursor}`)).items).toHaveLength(1);
  await api('POST', `/users/${ids[1]}/reclaim/keep`);
  expect([await states('?state=kept'), await states('?state=noticed')]).toEqual([['b kept'], ['a noticed']]);
  await on('2090-04-16');
  expect(await states()).toEqual(['a taken', 'b kept']);
  expect(await api('GET', `/users/${ids[0]}/reclaim`)).toMatchObject({
    reminders: 2,
    undoUntil: expect.stringMatching(/^2090-04-30T12:00/),
    rankKeptUntil: expect.stringMatching(/^2090-05-16T12:00/),
  });
  const { seat, effectiveRoles, requestedRoles } = await api('GET', `/users/${ids[0]}`);
  expect([seat.state, seat.reason]).toEqual(['none', 'SEAT_RECLAIMED']);
  expect([requestedRoles[0].role, effectiveRoles[0].role]).toEqual(['team_member', 'view_only']);
  expect((await api('GET', `/users/${ids[2]}`)).seat.state).toBe('held');
  const { items: trail } = await api('GET', `/audit?subject=${ids[0]}&action=reclaim.taken`);
  expect(trail).toMatchObject([{ before: { state: 'noticed' }, after: { state: 'taken' } }]);
});

describe('a seat that was taken', () => {
  beforeEach(async () => {
    await on('2090-04-01');
    await on('2090-04-16');
    expect(await states()).toEqual(['a taken', 'b taken']);
  });

  it('is explained, with what would bring it back', async () => {
    const { reasons, sentence, smallestChange, counterfactuals } = await explained(0);
    expect(reasons[0]).toBe('SEAT_RECLAIMED');
    expect(reasons.at(-1)).toBe('FALLBACK:view_only');
    expect(sentence).toMatch(
      /^Eng asks for team_member \(priority 1\), but the seat lay idle and was taken at 2090-04-16T12:00:\S+: ann has view_only until seen again\.$/,
    );
    expect(smallestChange).toMatch(/^Undo the taking of the seat, until 2090-04-30T12:00/);
    expect(counterfactuals).toContainEqual({
      ...{ change: 'Undo the taking of the seat', needsSeat: true },
      roles: [{ role: 'team_member', workspace: 'w' }],
    });
    await on('2090-05-01');
    const undo = ['reclaim', 'undo', '--tenant', tenant.slug, ids[0] ?? ''];
    const late = await runCli(undo, { GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey });
    expect(late.err).toMatch(/^409: That could be undone until .*\nThat is `reclaim keep`/);
    expect((await explained(0)).smallestChange).toMatch(/that is the old claim, with its rank\.$/);
    await on('2090-06-01');
    expect((await explained(0)).smallestChange).toMatch(/that is a new claim\.$/);
  });

  it('is given back by undo', async () => {
    const undone = await api('POST', `/users/${ids[0]}/reclaim/undo`);
    expect(undone).toMatchObject({ userId: ids[0], state: 'undone', undoUntil: null });
    expect((await api('GET', `/users/${ids[0]}`)).seat.state).toBe('held');
    expect((await api('GET', '/seats')).held).toBe(2);
  });

  it('comes back with the clock', async () => {
    await on('2090-03-10');
    expect(await states()).toEqual(['a returned', 'b returned']);
    expect((await api('GET', `/users/${ids[0]}`)).seat.state).not.toBe('none');
  });
});

it('says what is not possible', async () => {
  const refused = async (method: string, path: string) => {
    const { status, body } = await gateway.api(method, `/tenants/${tenant.slug}${path}`);
    return [status, body.code];
  };
  expect(await refused('POST', `/users/${ids[0]}/reclaim/undo`)).toEqual([404, 'not_found']);
  expect(await refused('POST', `/users/${ids[2]}/reclaim/keep`)).toEqual([409, 'conflict']);
  expect(await refused('GET', `/users/${ids[0]}/reclaim`)).toEqual([404, 'not_found']);
  expect(await refused('POST', '/users/nobody/reclaim/keep')).toEqual([404, 'not_found']);
  expect(await refused('GET', '/reclaims?state=lost')).toEqual([400, 'invalid']);
});
