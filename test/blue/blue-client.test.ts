/** The client against the double over real HTTP: the lists, mutations in one request, and every kind of failure. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BlueClient } from '../../src/blue/blue-client.ts';
import type { Mutation } from '../../src/blue/mutation.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { open, seedOf } from '../demo/blue-double/support.ts';
import { clientOf } from './support.ts';

let world: Awaited<ReturnType<typeof open>>;
let client: BlueClient;

beforeEach(async () => {
  world = await open();
  client = clientOf(world.double, world.clock);
});
afterEach(() => world.double.close());

async function reopened(change: Parameters<typeof open>[0]): Promise<void> {
  await world.double.close();
  world = await open(change);
  client = clientOf(world.double, world.clock);
}

function inviteTo(email: string, workspace = 'w1'): Mutation {
  return { operation: 'inviteUser', input: { email, accessLevel: 'CLIENT', projectId: workspace } };
}

const ok = { ok: true };
const refused = (code: string) => ({
  ok: false,
  failure: { kind: 'refused', code, message: expect.any(String) },
});

describe('reading', () => {
  test('identity tells whose token it is and who owns the organization', async () => {
    expect(await client.identity()).toEqual({
      ok: true,
      value: {
        selfUserId: 'owner',
        organizationId: 'org',
        organizationName: 'Acme',
        organizationSlug: 'acme',
        ownerUserId: 'owner',
        level: 'OWNER',
      },
    });
    const headers = world.state.requests()[0]?.headers;
    expect(headers).toMatchObject({ 'blue-token-id': 't-owner', 'blue-org-id': 'org' });
    expect(headers).not.toHaveProperty('authorization');
  });

  test('listMembers reads all pages and leaves agents out', async () => {
    const crowd = Array.from({ length: 450 }, (_, at) => ({
      id: `u${at}`,
      email: `U${at}@acme.example`,
      firstName: `N${at}`,
      lastName: 'X',
      isAgent: at % 100 === 0,
      memberships: [{ workspaceId: 'w1', level: 'MEMBER' as const, roleId: 'r1' }],
    }));
    await reopened({ people: [...seedOf().people, ...crowd] });
    const answer = await client.listMembers();
    const members = answer.ok ? answer.value : [];
    expect(members).toHaveLength(449);
    expect(members.find(({ blueUserId }) => blueUserId === 'u7')).toEqual({
      blueUserId: 'u7',
      address: 'u7@acme.example',
      fullName: 'N7 X',
      organizationLevel: 'MEMBER',
      lastActiveAt: null,
      memberships: [{ workspace: 'w1', level: 'MEMBER', customRole: 'Reviewer' }],
    });
    expect(world.state.requests()).toHaveLength(3);
  });

  test('an address that Blue hides is null, not a match', async () => {
    const answer = await clientOf(world.double, world.clock, {}, 'max').listMembers();
    const addresses = answer.ok ? answer.value.map(({ address }) => address) : [];
    expect(addresses).toEqual([null, 'max@acme.example', null]);
  });

  test('invitations, own workspaces and custom roles', async () => {
    await client.mutate('w1', [inviteTo('New@acme.example')]);
    expect(await client.listInvitations('w1')).toEqual({
      ok: true,
      value: [
        {
          id: expect.any(String),
          address: 'new@acme.example',
          workspace: 'w1',
          level: 'CLIENT',
          expiresAt: new Date('2026-03-09T09:00:00Z'),
        },
      ],
    });
    expect(await client.listWorkspaces()).toEqual({
      ok: true,
      value: [
        { id: 'w1', name: 'One', slug: 'one' },
        { id: 'w2', name: 'Two', slug: 'two' },
      ],
    });
    expect(await client.listCustomRoles(['w1', 'w2'])).toEqual({
      ok: true,
      value: [{ id: 'r1', name: 'Reviewer', workspace: 'w1' }],
    });
  });

  test('more workspaces than one page', async () => {
    const workspaces = Array.from({ length: 230 }, (_, at) => ({
      id: `w${at}`,
      slug: `s${at}`,
      name: `W${at}`,
    }));
    await reopened({ workspaces: [...workspaces] });
    const answer = await client.listWorkspaces();
    expect(answer.ok && answer.value.length).toBe(230);
  });
});

describe('mutating', () => {
  test('several mutations of a workspace are one request', async () => {
    const results = await client.mutate('w1', [
      inviteTo('a@acme.example'),
      {
        operation: 'updateProjectAccessLevel',
        input: { userId: 'max', accessLevel: 'MEMBER', roleId: 'r1' },
      },
      { operation: 'removeProjectUser', input: { projectId: 'w1', userId: 'amy' } },
      { operation: 'removeCompanyUser', input: { companyId: 'org', userId: 'vic' } },
    ]);
    expect(results).toEqual([ok, ok, ok, ok]);
    expect(world.state.requests()).toHaveLength(1);
    expect(world.state.requests()[0]?.headers['blue-workspace-id']).toBe('w1');
    expect(world.state.members('w1')).toMatchObject([
      { userId: 'max', customRole: 'Reviewer' },
      { userId: 'owner' },
    ]);
  });

  test('one that ends Blue’s run does not hide those before it nor lose those behind it', async () => {
    await client.mutate('w1', [inviteTo('a@acme.example')]);
    const [one] = world.state.invitations();
    const results = await client.mutate('w1', [
      inviteTo('b@acme.example'),
      inviteTo('owner@acme.example'),
      { operation: 'removeCompanyUser', input: { companyId: 'org', userId: 'nobody' } },
      { operation: 'cancelInvitation', id: one?.id ?? '' },
      { operation: 'cancelInvitation', id: one?.id ?? '' },
      inviteTo('c@acme.example'),
    ]);
    expect(results).toEqual([
      ok,
      refused('ADD_SELF'),
      refused('USER_NOT_FOUND'),
      ok,
      refused('INVITATION_NOT_FOUND'),
      ok,
    ]);
    expect(world.state.invitations().map(({ email }) => email)).toEqual(['b@acme.example', 'c@acme.example']);
    expect(world.state.requests()).toHaveLength(4);
  });

  test('a rate limit in the middle ends the call: nothing behind it was tried', async () => {
    world.state.faults.order({ kind: 'refuse', code: 'RATE_LIMITED' }, { operation: 'cancelInvitation' });
    const results = await client.mutate('w1', [
      inviteTo('a@acme.example'),
      { operation: 'cancelInvitation', id: 'x' },
      inviteTo('b@acme.example'),
    ]);
    const limited = { ok: false, failure: { kind: 'rate_limited', signal: 'operation', afterMs: 60_000 } };
    expect(results).toEqual([ok, limited, limited]);
    expect(world.state.invitations()).toHaveLength(1);
  });
});

describe('failing', () => {
  const failureOf = async () => {
    const answer = await client.identity();
    return answer.ok ? undefined : answer.failure;
  };

  test.each([200, 401] as const)('unauthenticated, at HTTP %i', async (status) => {
    world.state.answerUnauthenticatedWith(status);
    world.state.expireToken('t-owner', world.clock.now());
    expect(await failureOf()).toEqual({ kind: 'unauthenticated', message: 'You are not authenticated.' });
  });

  test('forbidden', async () => {
    const asMax = clientOf(world.double, world.clock, {}, 'max');
    const answer = await asMax.listInvitations('w1');
    expect(answer).toEqual({ ok: false, failure: { kind: 'forbidden', message: 'You are not authorized.' } });
  });

  test('rate limited by the tier, the operation, the plan', async () => {
    world.state.faults.order({ kind: 'tier', retryAfterSeconds: 7 });
    expect(await failureOf()).toEqual({ kind: 'rate_limited', signal: 'tier', afterMs: 7000 });
    expect(client.pace()).toBe(7000);
    world.clock.advance(7000);
    expect(client.pace()).toBe(0);
    world.state.faults.order({ kind: 'refuse', code: 'RATE_LIMITED' });
    expect(await failureOf()).toEqual({ kind: 'rate_limited', signal: 'operation', afterMs: 60_000 });
    world.state.faults.order({
      kind: 'plan_cools_down',
      cooldownEndsAt: new Date(world.clock.now().getTime() + 90_000),
    });
    expect(await failureOf()).toEqual({ kind: 'rate_limited', signal: 'plan', afterMs: 90_000 });
  });

  test('plan limit, with the resource in lower case', async () => {
    world.state.setUserLimit(3);
    const paid = { email: 'a@acme.example', accessLevel: 'MEMBER', projectId: 'w1' } as const;
    const [result] = await client.mutate('w1', [{ operation: 'inviteUser', input: paid }]);
    expect(result).toEqual({
      ok: false,
      failure: { kind: 'plan_limit', reason: 'over_limit', resource: 'users', current: 3, limit: 3 },
    });
  });

  test('unavailable: masked error, HTML at any status, silence, a closed port', async () => {
    world.state.faults.order({ kind: 'internal' });
    expect(await failureOf()).toMatchObject({ kind: 'unavailable', cause: 'server' });
    world.state.faults.order({ kind: 'html', status: 502 });
    expect(await failureOf()).toMatchObject({ kind: 'unavailable', cause: 'server' });
    world.state.faults.order({ kind: 'html', status: 200 });
    expect(await failureOf()).toMatchObject({ kind: 'unavailable', cause: 'server' });
    client = clientOf(world.double, world.clock, { requestMsMax: 100 });
    world.state.faults.order({ kind: 'hang' });
    expect(await failureOf()).toMatchObject({ kind: 'unavailable', cause: 'timeout' });
    await world.double.close();
    expect(await failureOf()).toMatchObject({ kind: 'unavailable', cause: 'network' });
    await world.double.reopen();
    expect(await failureOf()).toBeUndefined();
  });

  test('a lost answer is unavailable, though the mutation was carried out', async () => {
    client = clientOf(world.double, world.clock, { requestMsMax: 200 });
    world.state.faults.order({ kind: 'lost_answer' });
    const [result] = await client.mutate('w1', [inviteTo('a@acme.example')]);
    expect(result).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
    expect(world.state.invitations()).toHaveLength(1);
  });

  test('refused: a banned organization, an unknown one', async () => {
    world.state.ban(true);
    expect(await failureOf()).toMatchObject({ kind: 'refused', code: 'COMPANY_BANNED' });
    world.state.ban(false);
    client = clientOf(world.double, world.clock, { organizationId: 'nobody' });
    expect(await failureOf()).toMatchObject({ kind: 'refused', code: 'COMPANY_NOT_FOUND' });
  });

  test('half an answer to a read is a failure, never a shorter list', async () => {
    world.state.faults.order({ kind: 'partial', code: 'INTERNAL_SERVER_ERROR' });
    expect(await client.listMembers()).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
  });

  test('an aborted call ends as unavailable', async () => {
    const stop = new AbortController();
    client = clientOf(world.double, world.clock, { signal: stop.signal });
    world.state.faults.order({ kind: 'hang' });
    const answer = failureOf();
    setTimeout(() => stop.abort(), 50);
    expect(await answer).toMatchObject({ kind: 'unavailable' });
  });
});

describe('answers of something that is not Blue', () => {
  async function meet<T>(
    bodies: readonly string[],
    status: number,
    use: (stranger: BlueClient) => Promise<T>,
    headers: Record<string, string> = {},
  ) {
    let served = 0;
    const server = createServer((_request, response) => {
      response.writeHead(status, headers).end(bodies[served]);
      served += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const options = { url: `http://127.0.0.1:${port}/graphql`, organizationId: 'org', clock: systemClock };
    const answer = await use(new BlueClient({ ...options, tokenId: 't', tokenSecret: 'pat_s3cret' }));
    server.close();
    server.closeAllConnections();
    return answer;
  }

  async function failed(status: number, body: string) {
    const answer = await meet([body], status, (stranger) => stranger.identity());
    return answer.ok ? undefined : answer.failure;
  }

  test.each([
    [200, '{"data":{"currentUser":{"id":1}}}', 'contract'],
    [200, '{"data":null}', 'contract'],
    [200, '{"errors":"no"}', 'contract'],
    [200, '{"hello":1}', 'contract'],
    [200, '[1]', 'contract'],
    [301, '', 'contract'],
    [404, '{"message":"no"}', 'contract'],
    [401, '{"message":"no"}', 'unauthenticated'],
    [503, '{"message":"no"}', 'unavailable'],
    [400, '{"errors":[{"message":"Cannot query field"}]}', 'contract'],
    [400, '{"errors":[{"message":"x","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}', 'contract'],
    [400, '{"errors":[{"message":"x","extensions":{"code":"BAD_EMAIL"}}]}', 'refused'],
  ])('HTTP %i %s is %s', async (status, body, kind) => {
    expect((await failed(status, body))?.kind).toBe(kind);
  });

  test('a redirect is not followed', async () => {
    let asked = 0;
    const elsewhere = createServer((_request, response) => {
      asked += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    for (const status of [301, 302, 307, 308]) {
      const answer = await meet([''], status, (stranger) => stranger.identity(), { location });
      expect(answer).toMatchObject({ ok: false, failure: { kind: 'contract' } });
    }
    elsewhere.close();
    expect(asked).toBe(0);
  });

  test('a list that changed between its pages is not believed', async () => {
    const user = (id: string) => ({ id, email: `${id}@x.example`, fullName: id, workspaceMemberships: [] });
    const page = (ids: string[], totalCount: number, hasNextPage: boolean) =>
      JSON.stringify({
        data: { companyUserList: { totalCount, pageInfo: { hasNextPage }, users: ids.map(user) } },
      });
    const listed = (...pages: string[]) => meet(pages, 200, (stranger) => stranger.listMembers());
    expect(await listed(page(['a', 'b'], 3, true), page(['c'], 3, false))).toMatchObject({ ok: true });
    for (const second of [page([], 2, false), page(['b'], 3, false), page(['c', 'd'], 4, false)]) {
      const answer = await listed(page(['a', 'b'], 3, true), second);
      expect(answer).toMatchObject({ ok: false, failure: { kind: 'unavailable' } });
    }
  });

  test('an answer above the size limit is refused while it arrives', async () => {
    expect(await failed(200, ' '.repeat(17 * 1024 * 1024))).toMatchObject({ kind: 'contract' });
  });

  test('the secret is in no failure and no printout, even when the other side echoes it', async () => {
    const echo = JSON.stringify({
      errors: [{ message: 'bad pat_s3cret', extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect(await failed(200, echo)).toMatchObject({ kind: 'refused', message: 'bad [secret]' });
    expect(inspect(client, { depth: 9, showHidden: true })).not.toContain('pat_owner');
    expect(JSON.stringify(client)).not.toContain('pat_owner');
  });
});

test('pace spreads the second half of the allowance over the window', async () => {
  await reopened({ rate: { key: 4, user: 9, organization: 9 } });
  await client.identity();
  expect(client.pace()).toBe(0);
  await client.identity();
  expect(client.pace()).toBe(30_000);
  await client.identity();
  expect(client.pace()).toBe(60_000);
  world.clock.advance(59_000);
  expect(client.pace()).toBe(1000);
});

test('the dispatcher that is handed in decides where the client may connect', async () => {
  const guarded = new Agent({
    connect: (_options, callback) => callback(new Error('address not allowed'), null),
  });
  const answer = await clientOf(world.double, world.clock, { dispatcher: guarded }).identity();
  expect(answer).toMatchObject({
    ok: false,
    failure: { kind: 'unavailable', message: 'address not allowed' },
  });
  expect(world.state.requests()).toEqual([]);
});
