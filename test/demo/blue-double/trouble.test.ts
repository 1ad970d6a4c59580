/** Behaviours 9 to 11 of the double: rate limits, ordered failures, and the schema that refuses invented fields. */

import { afterEach, expect, test } from 'vitest';
import type { BlueDouble } from '../../../demo/blue-double/server.ts';
import { inWorkspace, open } from './support.ts';

let double: BlueDouble;
afterEach(() => double.close());

async function opened(change = {}) {
  const world = await open(change);
  double = world.double;
  return world;
}

const who = '{ currentUser { id } }';

test('9 the tier answers 429 with plain JSON and its headers, and lets go after 60 s', async () => {
  const { call, clock } = await opened({ rate: { key: 3, user: 4, organization: 5 } });
  const first = await call(who);
  expect(first.headers.get('x-ratelimit-limit')).toBe('3');
  expect(first.headers.get('x-ratelimit-remaining')).toBe('2');
  clock.advance(10_000);
  await call(who);
  await call(who);
  const refused = await call(who);
  expect(refused.status).toBe(429);
  expect(refused.body).toEqual({ error: 'RATE_LIMITED', message: expect.any(String), retryAfter: 50 });
  expect(refused.headers.get('retry-after')).toBe('50');
  expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
  expect(Number(refused.headers.get('x-ratelimit-reset'))).toBe(clock.now().getTime() / 1000 + 50);
  clock.advance(50_001);
  expect((await call(who)).status).toBe(200);
});

test('9 ordered: a tier 429, a RATE_LIMITED at 200, a plan that cools down, full seats', async () => {
  const { call, state, clock } = await opened();
  state.faults.order({ kind: 'tier', retryAfterSeconds: 7 });
  const tier = await call(who);
  expect([tier.status, tier.headers.get('retry-after')]).toEqual([429, '7']);
  state.faults.order({ kind: 'refuse', code: 'RATE_LIMITED' }, { operation: 'currentUser' });
  const limited = await call(who);
  expect([limited.status, limited.code]).toEqual([200, 'RATE_LIMITED']);
  state.faults.order({ kind: 'plan_cools_down', cooldownEndsAt: clock.now() });
  expect((await call(who)).error?.extensions).toEqual({
    code: 'PLAN_LIMIT_REACHED',
    kind: 'rate_limited',
    cooldownEndsAt: clock.now().toISOString(),
  });
  state.faults.order({ kind: 'seats_full' });
  expect((await call(who)).error?.extensions).toMatchObject({ kind: 'over_limit' });
  expect((await call(who)).code).toBeUndefined();
});

test('10 masked errors, HTML, partial answers, silence, and a closed port', async () => {
  const { call, state } = await opened();
  state.faults.order({ kind: 'internal' });
  expect((await call(who)).error).toMatchObject({
    message: 'Internal server error',
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
  state.faults.order({ kind: 'html', status: 502 });
  const html = await call(who);
  expect([html.status, html.headers.get('content-type')]).toEqual([502, 'text/html']);
  state.faults.order({ kind: 'partial', code: 'INTERNAL_SERVER_ERROR' });
  const partial = await call(who);
  expect(partial.data).toEqual({ currentUser: { id: 'owner' } });
  expect(partial.code).toBe('INTERNAL_SERVER_ERROR');
  state.faults.order({ kind: 'hang' });
  const silence = fetch(double.url, { method: 'POST', body: '{}', signal: AbortSignal.timeout(100) });
  await expect(silence).rejects.toThrow();
  await double.close();
  await expect(call(who)).rejects.toThrow();
  await double.reopen();
  expect((await call(who)).status).toBe(200);
});

test('11 an invented field or a query deeper than 10 is refused by the schema', async () => {
  const { call } = await opened();
  const invented = await call('{ currentUser { externalId } }');
  expect(invented.status).toBe(400);
  expect(invented.error?.message).toContain('externalId');
  const nested = (depth: number): string =>
    depth === 0 ? 'id' : `company { owner { id } id ${nestedIn(depth - 1)} }`;
  const nestedIn = (depth: number): string =>
    depth === 0 ? '' : `owner { projectUserRole { project { ${nested(depth - 1)} } } }`;
  const roles = (inner: string) =>
    `{ projectUserRoles(filter: { projectId: "w1" }) { project { ${inner} } } }`;
  expect((await call(roles('company { owner { id } }'))).code).toBeUndefined();
  const deep = await call(roles(nested(4)));
  expect(deep.error?.message).toContain('deeper than 10');
  const spread = await call(`${roles('...F')} fragment F on Project { ${nested(4)} }`);
  expect(spread.error?.message).toContain('deeper than 10');
});

test('several mutations in one request run one after the other, until a non-null one fails', async () => {
  const { call, state } = await opened();
  const input = (email: string) => `{ email: "${email}", accessLevel: CLIENT, projectId: "w1" }`;
  const reply = await call(
    `mutation {
      a: inviteUser(input: ${input('a@acme.example')})
      b: inviteUser(input: ${input('owner@acme.example')})
      c: inviteUser(input: ${input('c@acme.example')})
    }`,
    {},
    inWorkspace('w1'),
  );
  expect(reply.data).toBeNull();
  expect(reply.body.errors).toMatchObject([{ path: ['b'], extensions: { code: 'ADD_SELF' } }]);
  expect(state.invitations().map(({ email }) => email)).toEqual(['a@acme.example']);
});

test('both vocabularies answer the same', async () => {
  const { call } = await opened();
  const old = await call(
    '{ companyUserList(companyId: "org") { users { id } } projectUserList(projectId: "w1") { totalCount } }',
  );
  const now = await call(
    '{ organizationUserList(companyId: "org") { users { id } } workspaceUserList(projectId: "w1") { totalCount } }',
  );
  expect(now.read('organizationUserList')).toEqual(old.read('companyUserList'));
  expect(now.read('workspaceUserList')).toEqual(old.read('projectUserList'));
  const mutation = `mutation ($l: UpdateWorkspaceAccessLevelInput!, $r: RemoveWorkspaceUserInput!, $o: RemoveOrganizationUserInput!) {
    updateWorkspaceAccessLevel(input: $l)
    removeWorkspaceUser(input: $r) { success }
    removeOrganizationUser(input: $o)
  }`;
  const max = { userId: 'max' };
  const variables = {
    l: { ...max, accessLevel: 'CLIENT' },
    r: { ...max, projectId: 'w1' },
    o: { ...max, companyId: 'org' },
  };
  expect((await call(mutation, variables, inWorkspace('w1'))).data).toEqual({
    updateWorkspaceAccessLevel: true,
    removeWorkspaceUser: { success: true },
    removeOrganizationUser: true,
  });
});
