/** What stands between an administrator's edit and its write: the breaker's question, and the word of a second person. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let other: string;

beforeAll(async () => {
  gateway = await startGateway();
  other = (await made(gateway.api('POST', '/operators', { name: 'second' }))).key;
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenant = await gateway.createTenant();
  await settings({});
  await made(call('PUT', '/contract', contract(10)));
});

const call = (method: string, path: string, body?: unknown, key?: string) =>
  gateway.api(method, `/tenants/${tenant.slug}${path}`, body, key ?? gateway.operatorKey);
const settings = (change: object) =>
  made(call('PUT', '/settings', { breaker: { percent: 50, people: 3 }, holdMinutes: 0, ...change }));
const contract = (paidSeats: number, policy = 'queue') => ({
  ...{ kind: 'annual', tier: 'T', paidSeats, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy }, fallbackRole: 'view_only' },
});
const mapping = { group: { displayName: 'Eng' }, role: 'team_member', workspaces: ['*'], priority: 1 };
const held = async () => (await made(call('GET', '/seats'))).held;

/** Four people with a seat by one mapping; answers its id. */
async function fourHolders(): Promise<string> {
  const { id } = await made(call('POST', '/mappings', mapping));
  await newcomers('Eng', ['a', 'b', 'c', 'd']);
  const seats = await made(call('GET', '/seats'));
  expect(seats.held + seats.overage).toBe(4);
  return id;
}

async function newcomers(displayName: string, names: readonly string[]): Promise<void> {
  const token = await tenant.directoryToken('okta');
  const members = [];
  for (const name of names) {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const user = { schemas, userName: `${name}@acme.example` };
    members.push({ value: (await made(gateway.scim(token, 'POST', '/Users', user))).id });
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName, members }));
}

describe('an edit above the breaker', () => {
  it.each([
    ['a mapping that is deleted', 'DELETE', (id: string) => `/mappings/${id}`, undefined],
    ['one that becomes free', 'PUT', (id: string) => `/mappings/${id}`, { ...mapping, role: 'client' }],
    [
      'settings that leave people alone',
      'PUT',
      () => '/settings',
      { exclusions: ['a@acme.example', 'b@acme.example', 'c@acme.example'] },
    ],
  ])(
    '%s is refused with the field and the reason, until it is confirmed',
    async (_what, method, pathOf, body) => {
      const id = await fourHolders();
      const { status, body: problem } = await call(method, pathOf(id), body);
      expect([status, problem.code, problem.field]).toEqual([409, 'above_breaker', 'confirm']);
      expect(problem.detail).toMatch(/^This takes the seats of [34] people/);
      expect(await held()).toBe(4);
      expect((await call(method, `${pathOf(id)}?confirm=true`, body)).status).toBeLessThan(300);
      expect(await held()).toBeLessThan(2);
    },
  );

  it('is one of the default workspaces: previewed, asked about, and never kept for a second person with its secret', async () => {
    const blue = (defaultWorkspaces: string[]) => ({ organizationId: 'o', tokenId: 't', defaultWorkspaces });
    await made(call('PUT', '/blue', { ...blue(['w2']), tokenSecret: 'very secret' }));
    const free = { group: { displayName: 'All' }, role: 'client', workspaces: ['*'], priority: 1 };
    await made(call('POST', '/mappings', free));
    const paid = { group: { displayName: 'Eng' }, role: 'team_member', workspaces: ['w1'], priority: 2 };
    await made(call('POST', '/mappings', paid));
    await newcomers('Eng', ['a', 'b', 'c', 'd']);
    const members = (await made(call('GET', '/users'))).items.map(({ id }: { id: string }) => ({
      value: id,
    }));
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
    const token = await tenant.directoryToken('entra');
    await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'All', members }));
    expect(await held()).toBe(4);

    const preview = { op: 'defaultWorkspaces', workspaces: ['w1', 'w2'] };
    expect(await made(call('POST', '/seats/preview', preview))).toMatchObject({ lost: 4 });
    const refused = await call('PUT', '/blue', blue(['w1', 'w2']));
    expect([refused.status, refused.body.code, refused.body.field]).toEqual([
      409,
      'above_breaker',
      'confirm',
    ]);
    expect([await held(), (await call('GET', '/blue')).body.defaultWorkspaces]).toEqual([4, ['w2']]);

    await settings({ twoPersonRule: true });
    const secret = await call('PUT', '/blue', { ...blue(['w1', 'w2']), tokenSecret: 'very secret' });
    expect([secret.status, secret.body.field]).toEqual([400, 'tokenSecret']);
    const asked = await call('PUT', '/blue', blue(['w1', 'w2']));
    expect(asked.status).toBe(202);
    expect((await call('POST', `/edit-requests/${asked.body.id}/approve`, {}, other)).status).toBe(200);
    expect(await held()).toBe(0);
  });

  it('is one that withdraws a line of the contract', async () => {
    await made(call('PUT', '/contract', contract(1)));
    const amendment = { effectiveOn: '2020-01-01', paidSeats: 4, reason: 'more' };
    const { id } = await made(call('POST', '/contract/amendments', amendment));
    await fourHolders();
    const preview = await made(call('POST', '/seats/preview', { op: 'withdrawal', lineId: id }));
    expect(preview, 'after the days of grace').toMatchObject({ lost: 0, lostLater: 3 });
    const { status, body } = await call('DELETE', `/contract/lines/${id}`);
    expect([status, body.code, body.field]).toEqual([409, 'above_breaker', 'confirm']);
    expect((await made(call('GET', '/seats'))).capacity).toBe(4);
    expect((await call('DELETE', `/contract/lines/${id}?confirm=true`)).status).toBe(204);
    expect((await made(call('GET', '/seats'))).capacity).toBe(1);
    const gone = await call('POST', '/seats/preview', { op: 'withdrawal', lineId: id });
    expect([gone.status, gone.body.code]).toEqual([404, 'not_found']);
  });

  const evaluation = (startsOn: string, endsOn: string) => ({
    ...{ ...contract(10), kind: 'evaluation', startsOn, endsOn },
    evaluationGraceDays: 0,
  });
  const byPercent = (policy: string, graceDays?: number, days = {}) => ({
    ...{ ...contract(1), ...days },
    overage: { policy, allowancePercent: 300, ...(graceDays === undefined ? {} : { graceDays }) },
  });
  const next = { startsOn: '2099-01-01', endsOn: '2099-12-31' };
  it.each([
    ['freezes an evaluation', contract(10), evaluation('2020-01-01', '2020-06-30'), 4, 0],
    ['will freeze one', contract(10), evaluation('2020-01-01', '2098-12-31'), 4, 4],
    [
      'will freeze one earlier',
      evaluation('2020-01-01', '2098-12-31'),
      evaluation('2020-01-01', '2098-06-30'),
      4,
      4,
    ],
    ['gives an end to seats above the capacity', byPercent('allow'), byPercent('grace', 5), 3, 3],
    ['will give them one', byPercent('allow'), byPercent('grace', 5, next), 3, 3],
    ['has them go at once', byPercent('allow'), byPercent('grace', 0), 3, 0],
  ])('is one that %s', async (_what, before, after, seats, later) => {
    await made(call('PUT', '/contract', before));
    await fourHolders();
    const preview = await made(call('POST', '/seats/preview', { op: 'contract', contract: after }));
    expect(preview).toMatchObject({ lostLater: later });
    const { status, body } = await call('PUT', '/contract', after);
    expect([status, body.code, body.field]).toEqual([409, 'above_breaker', 'confirm']);
    expect(body.detail).toMatch(new RegExp(`^This takes the seats of ${seats} people`));
    expect((await call('PUT', '/contract?confirm=true', after)).status).toBe(200);
  });

  it('is not one that prolongs a contract whose reduction was signed before', async () => {
    const until = (endsOn: string) => ({ ...contract(10), endsOn });
    await made(call('PUT', '/contract', until('2098-12-31')));
    await fourHolders();
    const reduction = { effectiveOn: '2098-06-01', paidSeats: 1, reason: 'agreed' };
    await made(call('POST', '/contract/amendments?confirm=true', reduction));
    expect((await call('PUT', '/contract', until('2099-12-31'))).status).toBe(200);
  });

  it('is one of a share that takes back what others borrow, also after a notice', async () => {
    await made(call('PUT', '/contract?confirm=true', contract(4)));
    await fourHolders();
    const ops = { ...mapping, group: { displayName: 'Ops' }, priority: 2, subPool: 'ops' };
    await made(call('PUT', '/sub-pools/ops', { seats: 0, borrowLimit: 0 }));
    await made(call('POST', '/mappings', ops));
    await newcomers('Ops', ['x', 'y', 'z']);
    const { status, body } = await call('PUT', '/sub-pools/ops', { seats: 3 });
    expect([status, body.code, body.field]).toEqual([409, 'above_breaker', 'confirm']);
    expect(body.detail).toMatch(
      /^This takes the seats of 3 people, all at a date to come, and the breaker .*`--confirm`/,
    );
    expect((await call('PUT', '/sub-pools/ops', { seats: 1 })).status).toBe(200);
    expect((await call('PUT', '/sub-pools/ops?confirm=true', { seats: 3 })).status).toBe(200);
    await settings({ breaker: { percent: 50, people: 3 }, twoPersonRule: true, noticeHours: 0 });
    const waiting = await call('PUT', '/sub-pools/ops', { seats: 4 });
    expect(waiting.status, 'of one person more').toBe(200);
  });

  it('is not one that takes few seats, nor any where the breaker is off', async () => {
    const id = await fourHolders();
    expect((await call('PUT', `/mappings/${id}`, { ...mapping, priority: 7 })).status).toBe(200);
    await settings({ breaker: null });
    expect((await call('DELETE', `/mappings/${id}`)).status).toBe(204);
  });

  it('is refused for what it would be refused for anyway', async () => {
    await fourHolders();
    const second = { ...mapping, group: { displayName: 'Ops' } };
    expect((await call('POST', '/mappings', second)).body).toMatchObject({
      code: 'conflict',
      field: 'priority',
    });
  });
});

it('the two-person rule is refused where there is no second key', async () => {
  const alone = await startGateway();
  const { slug } = await alone.createTenant();
  const path = `/tenants/${slug}/settings`;
  const refused = await alone.api('PUT', path, { twoPersonRule: true });
  expect([refused.status, refused.body.code, refused.body.field]).toEqual([409, 'conflict', 'twoPersonRule']);
  await made(alone.api('POST', `/tenants/${slug}/keys`, { name: 'second', role: 'owner' }));
  await made(alone.api('PUT', path, { twoPersonRule: true }));
  await alone.close();
});

describe('under the two-person rule', () => {
  beforeEach(() => settings({ twoPersonRule: true }));

  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer.body;
  };
  const approve = (id: string, key = other) => call('POST', `/edit-requests/${id}/approve`, undefined, key);

  it.each([
    ['the contract', 'PUT', '/contract', contract(20), ['capacity']],
    ['policy block', 'PUT', '/contract', contract(10, 'block'), ['capacity', 'block']],
    [
      'an amendment',
      'POST',
      '/contract/amendments',
      { effectiveOn: '2020-01-01', paidSeats: 20, reason: 'more' },
      ['capacity'],
    ],
    ['the end of the rule', 'PUT', '/settings', { twoPersonRule: false }, ['rule']],
    ['a breaker that is switched off', 'PUT', '/settings', { twoPersonRule: true, breaker: null }, ['rule']],
  ])('%s waits for somebody else, and then is done', async (_what, method, path, body, because) => {
    const request = await ask(method, path, body);
    expect(request).toMatchObject({
      state: 'pending',
      because,
      method,
      path: `/tenants/${tenant.slug}${path}`,
    });
    const own = await approve(request.id, gateway.operatorKey);
    expect([own.status, own.body.code]).toEqual([403, 'forbidden']);
    const { status, body: approved } = await approve(request.id);
    expect([status, approved.state, approved.decidedBy.name]).toEqual([200, 'approved', 'second']);
    expect((await approve(request.id)).status).toBe(409);
    if (path === '/contract') expect((await call('GET', '/contract')).body).toMatchObject(body);
  });

  it('a line of the contract that is withdrawn waits for somebody else, and then is gone', async () => {
    const amendment = { effectiveOn: '2020-01-01', paidSeats: 20, reason: 'more' };
    await made(approve((await ask('POST', '/contract/amendments', amendment)).id));
    const [{ id }] = (await made(call('GET', '/contract/amendments'))).items;
    expect((await call('DELETE', `/contract/lines/${tenant.slug}`)).status, 'no line').toBe(404);
    const request = await ask('DELETE', `/contract/lines/${id}`);
    expect([request.because, (await made(call('GET', '/seats'))).capacity]).toEqual([['capacity'], 20]);
    await made(approve(request.id));
    expect((await made(call('GET', '/seats'))).capacity).toBe(10);
  });

  it('changes nothing while it waits, nor when it is refused', async () => {
    const { id } = await ask('PUT', '/contract', contract(20));
    expect((await made(call('GET', '/seats'))).capacity).toBe(10);
    expect((await call('POST', `/edit-requests/${id}/refuse`, undefined, other)).body.state).toBe('refused');
    expect((await approve(id)).status).toBe(409);
    expect((await made(call('GET', '/seats'))).capacity).toBe(10);
    expect((await made(call('GET', '/edit-requests'))).items).toMatchObject([{ id, state: 'refused' }]);
    expect((await made(call('GET', `/edit-requests/${id}`))).id).toBe(id);
  });

  it('stops an edit above the breaker and a paid pin, and no other', async () => {
    const id = await fourHolders();
    expect((await ask('DELETE', `/mappings/${id}?confirm=true`)).because).toEqual(['breaker']);
    const [{ id: userId }] = (await made(call('GET', '/users'))).items;
    const pin = { role: 'team_member', reason: 'board' };
    expect((await ask('PUT', `/users/${userId}/pin`, pin)).because).toEqual(['pin']);
    expect((await call('PUT', `/users/${userId}/pin`, { ...pin, role: 'client' })).status).toBe(200);
  });

  it('asks again when what was approved can’t be done, and lets nobody do more than the key may', async () => {
    const request = await ask('PUT', '/contract', contract(20));
    const { key } = await made(call('POST', '/keys', { name: 'owner', role: 'owner' }, other));
    const forbidden = await approve(request.id, key);
    expect([forbidden.status, forbidden.body.code]).toEqual([403, 'forbidden']);
    expect((await made(call('GET', `/edit-requests/${request.id}`))).state).toBe('pending');
    expect((await approve(request.id)).status).toBe(200);
  });

  it('takes a key that was made since for one in its maker’s hand', async () => {
    const keyOf = async (maker: string, role = 'owner') =>
      await made(call('POST', '/keys', { name: 'k', role }, maker));
    const [first, second] = [await keyOf(gateway.operatorKey), await keyOf(gateway.operatorKey)];
    const third = await keyOf(second.key);
    const operator = await made(gateway.api('POST', '/operators', { name: 'sock puppet' }));
    const asked = await call('PUT', '/settings', { twoPersonRule: false }, first.key);
    expect(asked.status).toBe(202);
    // Neither whoever made it, nor another that she made, nor one made by that.
    for (const { key } of [first, { key: gateway.operatorKey }, second, third, operator]) {
      const answer = await approve(asked.body.id, key);
      expect([answer.status, answer.body.detail]).toEqual([
        403,
        expect.stringContaining('counts as its maker’s'),
      ]);
    }
    // Revoking it hides nothing.
    expect((await call('DELETE', `/keys/${first.id}`)).status).toBe(204);
    expect((await approve(asked.body.id, third.key)).status).toBe(403);
    // Whom the other operator has given a key is somebody else.
    expect((await approve(asked.body.id, (await keyOf(other)).key)).status).toBe(200);
  });

  it('names both who asked and who approved, as the author too', async () => {
    await fourHolders();
    const [{ id: userId }] = (await made(call('GET', '/users'))).items;
    const { id } = await ask('PUT', `/users/${userId}/pin`, { role: 'team_member', reason: 'board' });
    await made(approve(id));
    const by = 'first operator, approved by second';
    expect((await made(call('GET', `/users/${userId}/pin`))).by).toBe(by);
    expect((await made(call('GET', `/users/${userId}/explain`))).pin.by).toBe(by);
    const { items } = await made(call('GET', `/audit?action=pin.set&subject=${userId}`));
    expect(items).toMatchObject([
      { actor: { name: 'first operator', approvedBy: { kind: 'operator', name: 'second' } } },
    ]);
    const byApprover = await made(call('GET', `/audit?action=pin.set&actor=${items[0].actor.approvedBy.id}`));
    expect(byApprover.items).toEqual(items);
  });

  it('can’t be passed by a header that a caller makes up', async () => {
    const answer = await fetch(`${gateway.url}/api/v1/tenants/${tenant.slug}/contract`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${gateway.operatorKey}`,
        'content-type': 'application/json',
        'x-approved-edit': 'true',
      },
      body: JSON.stringify(contract(20)),
    });
    expect(answer.status).toBe(202);
  });
});
