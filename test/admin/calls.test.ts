/** The admin API's calls: what is written can be read, what is wrong is told by its field, lists page. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let base: string;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
});

const contract = {
  kind: 'annual',
  tier: 'T',
  paidSeats: 1,
  startsOn: '2026-01-01',
  endsOn: '2099-12-31',
  paymentSchedule: 'annual',
  overage: { policy: 'queue' },
  fallbackRole: 'view_only',
};
const mapping = (priority: number, displayName = 'Engineering', role = 'team_member') => ({
  group: { displayName },
  role,
  workspaces: ['*'],
  priority,
});

/** A user of the identity provider, in these groups. */
async function pushed(token: string, name: string, ...groups: string[]): Promise<string> {
  const user = await made(
    gateway.scim(token, 'POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: `${name}@acme.example`,
      displayName: name,
    }),
  );
  for (const displayName of groups) {
    await made(
      gateway.scim(token, 'POST', '/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName,
        members: [{ value: user.id }],
      }),
    );
  }
  return user.id;
}

async function joins(token: string, groupName: string, userId: string): Promise<void> {
  const path = `/Groups?excludedAttributes=members&filter=displayName eq "${groupName}"`;
  const { Resources } = await made(gateway.scim(token, 'GET', path));
  const Operations = [{ op: 'add', path: 'members', value: [{ value: userId }] }];
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
  await made(gateway.scim(token, 'PATCH', `/Groups/${Resources[0].id}`, { schemas, Operations }));
}

describe('tenants', () => {
  it('are written, read and listed page by page', async () => {
    const more = await Promise.all([gateway.createTenant(), gateway.createTenant()]);
    expect((await gateway.api('GET', base)).body).toMatchObject({ id: tenant.tenantId, slug: tenant.slug });
    const slugs: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await made(gateway.api('GET', `/tenants?limit=2${cursor && `&cursor=${cursor}`}`));
      expect(page.items.length).toBeLessThanOrEqual(2);
      slugs.push(...page.items.map(({ slug }: { slug: string }) => slug));
      cursor = page.nextCursor;
    }
    expect(slugs).toEqual(slugs.toSorted());
    expect(slugs).toEqual(expect.arrayContaining([tenant.slug, ...more.map(({ slug }) => slug)]));
  });

  it('have a slug of their own', async () => {
    const answer = await gateway.api('POST', '/tenants', { name: 'x', slug: tenant.slug });
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([409, 'conflict', 'slug']);
  });
});

describe('a contract', () => {
  it('is written and read; without one there are no seats', async () => {
    expect((await gateway.api('GET', `${base}/contract`)).status).toBe(404);
    expect((await gateway.api('GET', `${base}/seats`)).body).toMatchObject({ capacity: 0, contract: null });
    expect((await gateway.api('PUT', `${base}/contract`, contract)).body).toMatchObject(contract);
    expect((await gateway.api('GET', `${base}/contract`)).body).toMatchObject(contract);
    const unlimited = { ...contract, paidSeats: null, tier: 'Unlimited' };
    await made(gateway.api('PUT', `${base}/contract`, unlimited));
    expect((await gateway.api('GET', `${base}/seats`)).body).toMatchObject({
      capacity: null,
      available: null,
    });
  });

  it.each([
    ['paidSeats', { paidSeats: -1 }],
    ['paidSeats', { paidSeats: '5' }],
    ['paidSeats', { paidSeats: 1.5 }],
    ['startsOn', { startsOn: '2026-02-30' }],
    ['startsOn', { startsOn: 'tomorrow' }],
    ['endsOn', { endsOn: '2025-12-31' }],
    ['overage.policy', { overage: { policy: 'none' } }],
    ['overage.allowancePercent', { overage: { policy: 'grace', graceDays: 3 } }],
    ['overage.allowancePercent', { overage: { policy: 'queue', allowancePercent: 5 } }],
    ['overage.graceDays', { overage: { policy: 'grace', allowancePercent: 5 } }],
    ['overage.graceDays', { overage: { policy: 'allow', allowancePercent: 5, graceDays: 3 } }],
    ['overage.allowance', { overage: { policy: 'queue', allowance: 1 } }],
    ['fallbackRole', { fallbackRole: 'team_member' }],
    ['price', { price: 5 }],
    ['tier', { tier: undefined }],
  ])('with a wrong %s is refused and changes nothing', async (field, change) => {
    const answer = await gateway.api('PUT', `${base}/contract`, { ...contract, ...change });
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, 'invalid', field]);
    expect((await gateway.api('GET', `${base}/contract`)).status).toBe(404);
  });
});

describe('mappings', () => {
  it('are written, read, replaced, reordered and removed', async () => {
    const one = await made(gateway.api('POST', `${base}/mappings`, mapping(1)));
    const two = await made(gateway.api('POST', `${base}/mappings`, mapping(2, 'Sales', 'client')));
    expect((await gateway.api('GET', `${base}/mappings/${one.id}`)).body).toEqual(one);
    const changed = { ...mapping(3, 'Sales', 'custom:Reviewer'), fallbackRole: 'none' };
    expect((await gateway.api('PUT', `${base}/mappings/${two.id}`, changed)).body).toMatchObject(changed);
    const ordered = await made(gateway.api('POST', `${base}/mappings/reorder`, { ids: [two.id, one.id] }));
    expect(ordered.items.map(({ id, priority }: { id: string; priority: number }) => [id, priority])).toEqual(
      [
        [two.id, 1],
        [one.id, 2],
      ],
    );
    expect((await gateway.api('DELETE', `${base}/mappings/${two.id}`)).status).toBe(204);
    expect((await gateway.api('GET', `${base}/mappings`)).body.items).toHaveLength(1);
    expect((await gateway.api('GET', `${base}/mappings/${two.id}`)).status).toBe(404);
  });

  it('page by their priority', async () => {
    for (const priority of [5, 1, 3]) await made(gateway.api('POST', `${base}/mappings`, mapping(priority)));
    const first = await made(gateway.api('GET', `${base}/mappings?limit=2`));
    const second = await made(gateway.api('GET', `${base}/mappings?limit=2&cursor=${first.nextCursor}`));
    const priorities = [...first.items, ...second.items].map((one: { priority: number }) => one.priority);
    expect(priorities).toEqual([1, 3, 5]);
    expect(second.nextCursor).toBeNull();
  });

  it.each([
    ['priority', mapping(0)],
    ['role', mapping(1, 'x', 'boss')],
    ['role', mapping(1, 'x', 'custom:')],
    ['role', mapping(1, 'x', 'custom:*')],
    ['workspaces', { ...mapping(1), workspaces: [] }],
    ['workspaces', { ...mapping(1), workspaces: ['*', 'w1'] }],
    ['workspaces', { ...mapping(1), workspaces: ['w1', 'w1'] }],
    ['group', { ...mapping(1), group: {} }],
    ['group', { ...mapping(1), group: { displayName: 'x', externalId: 'y' } }],
    ['group', { ...mapping(1), group: { id: '00000000-0000-7000-8000-000000000000' } }],
    ['group.id', { ...mapping(1), group: { id: 'x' } }],
    ['group.claims', { ...mapping(1), group: { claims: 'x' } }],
    ['group', { ...mapping(1), group: { claim: 'x', roleValue: 'y' } }],
    ['validFrom', { ...mapping(1), validFrom: 'soon' }],
    ['validUntil', { ...mapping(1), validFrom: '2027-01-02', validUntil: '2027-01-01' }],
  ])('with a wrong %s are refused', async (field, body) => {
    const answer = await gateway.api('POST', `${base}/mappings`, body);
    expect([answer.status, answer.body.field]).toEqual([400, field]);
    expect((await gateway.api('GET', `${base}/mappings`)).body.items).toEqual([]);
  });

  it('have a priority of their own, and a reorder names each once', async () => {
    const { id } = await made(gateway.api('POST', `${base}/mappings`, mapping(1)));
    const taken = await gateway.api('POST', `${base}/mappings`, mapping(1, 'Sales'));
    expect([taken.status, taken.body.field]).toEqual([409, 'priority']);
    for (const ids of [[], [id, id], ['00000000-0000-7000-8000-000000000000']]) {
      expect((await gateway.api('POST', `${base}/mappings/reorder`, { ids })).body.field).toBe('ids');
    }
  });
});

describe('pins and default workspaces', () => {
  const pin = { role: 'team_member', reason: 'by hand' };

  it.each([
    ['role', { ...pin, role: 'boss' }],
    ['role', { ...pin, role: 'custom:*' }],
    ['workspaces', { ...pin, workspaces: ['w1', 'w1'] }],
    ['workspaces', { ...pin, workspaces: ['*', 'w1'] }],
  ])('with a wrong %s are refused', async (field, body) => {
    const ada = await pushed(await tenant.directoryToken('okta'), 'ada');
    const path = `${base}/users/${ada}/pin`;
    const answer = await gateway.api('PUT', path, body);
    expect([answer.status, answer.body.field]).toEqual([400, field]);
    expect((await gateway.api('GET', path)).status).toBe(404);
  });

  it.each([[['w1', 'w1']], [['*']]])('that are %s are refused', async (defaultWorkspaces) => {
    const blue = { organizationId: 'o', tokenId: 't', tokenSecret: 's', mode: 'observe', defaultWorkspaces };
    const answer = await gateway.api('PUT', `${base}/blue`, blue);
    expect([answer.status, answer.body.field]).toEqual([400, 'defaultWorkspaces']);
    expect((await gateway.api('GET', `${base}/blue`)).status).toBe(404);
  });
});

describe('people', () => {
  it('are shown whole, found and explained', async () => {
    await made(gateway.api('PUT', `${base}/contract`, contract));
    await made(gateway.api('POST', `${base}/mappings`, mapping(1)));
    await made(gateway.api('POST', `${base}/mappings`, mapping(2, 'Everybody', 'comment_only')));
    const token = await tenant.directoryToken('okta');
    const ada = await pushed(token, 'ada', 'Engineering', 'Everybody');
    const bruno = await pushed(token, 'bruno');
    await joins(token, 'Engineering', bruno);
    const chiara = await pushed(token, 'chiara', 'Nobody maps this');

    const one = (await gateway.api('GET', `${base}/users/${ada}`)).body;
    expect(one).toMatchObject({
      id: ada,
      userName: 'ada@acme.example',
      email: 'ada@acme.example',
      active: true,
      sources: ['okta'],
      seat: { state: 'held', position: null, reason: 'SEAT_HELD' },
      effectiveRoles: [{ role: 'team_member', billing: 'paid', workspace: '*' }],
      blue: { state: 'none' },
    });
    const all = (await gateway.api('GET', `${base}/users`)).body.items;
    expect(all[0]).toEqual(one);
    const ids = async (query: string) =>
      (await made(gateway.api('GET', `${base}/users?${query}`))).items.map(({ id }: { id: string }) => id);
    expect(await ids('search=BRU')).toEqual([bruno]);
    expect(await ids('search=runo')).toEqual([]);
    expect(await ids('seat=held')).toEqual([ada]);
    expect(await ids('seat=queued')).toEqual([bruno]);
    expect(await ids('seat=none')).toEqual([chiara]);
    expect(await ids('role=view_only')).toEqual([bruno]);
    expect(await ids('limit=1')).toEqual([ada]);

    const why = (await gateway.api('GET', `${base}/users/${ada}/explain`)).body;
    expect(why.winner).toMatchObject({ group: 'Engineering', role: 'team_member', priority: 1 });
    expect(why.losers).toMatchObject([{ group: 'Everybody', priority: 2 }]);
    const waits = (await gateway.api('GET', `${base}/users/${bruno}/explain`)).body;
    expect(waits).toMatchObject({
      reasons: ['SEAT_QUEUED', expect.stringMatching(/^MAPPING:/), 'FALLBACK:view_only'],
      queue: { position: 1, ahead: [] },
      smallestChange: 'One more seat.',
    });
    expect(waits.sentence).toContain('1 of 1 seats are taken: bruno is number 1 in the queue');
    const nothing = (await gateway.api('GET', `${base}/users/${chiara}/explain`)).body;
    expect(nothing).toMatchObject({ reasons: [], winner: null, losers: [] });
    expect((await gateway.api('GET', `${base}/users/x/explain`)).status).toBe(404);
    expect((await gateway.api('GET', `${base}/seats`)).body).toMatchObject({
      held: 1,
      queued: 1,
      available: 0,
    });

    const groups = (await gateway.api('GET', `${base}/groups?mapped=true&search=eng`)).body.items;
    expect(groups).toMatchObject([{ displayName: 'Engineering', memberCount: 2, directory: 'okta' }]);
    expect(groups[0].mappings).toHaveLength(1);
  });

  it('leave a trail', async () => {
    const token = await tenant.directoryToken('okta');
    const id = await pushed(token, 'ada');
    const { items } = (await gateway.api('GET', `${base}/audit?subject=${id}`)).body;
    expect(items).toMatchObject([{ action: 'user.created', actor: { kind: 'directory', name: 'okta' } }]);
    const [{ at, actor }] = items;
    const found = async (query: string) =>
      (await made(gateway.api('GET', `${base}/audit?${query}`))).items.map(
        (one: { action: string }) => one.action,
      );
    const later = new Date(Date.parse(at) + 1).toISOString();
    expect(await found(`actor=${actor.id}`)).toEqual(['user.created']);
    expect(await found(`from=${at}`)).toEqual(['user.created']);
    expect(await found(`from=${later}`)).toEqual([]);
    expect(await found(`to=${later}&action=user.created`)).toEqual(['user.created']);
    expect(await found(`to=${at}&action=user.created`)).toEqual([]);
    expect((await gateway.api('GET', `${base}/audit?from=yesterday`)).body.field).toBe('from');
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await made(gateway.api('GET', `${base}/audit?limit=1${cursor && `&cursor=${cursor}`}`));
      pages.push(...page.items.map(({ action }: { action: string }) => action));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual(['user.created', 'token.issued', 'directory.created', 'tenant.created']);
  });
});

describe('any call', () => {
  it('refuses what is no JSON, no field and no path, and says so', async () => {
    const cases: [string, string, unknown, number][] = [
      ['POST', '/tenants', '{', 400],
      ['POST', '/tenants', '[]', 400],
      ['POST', '/tenants', undefined, 400],
      ['POST', '/tenants', { name: 1, slug: 'x' }, 400],
      ['GET', '/tenants?limit=0', undefined, 400],
      ['GET', '/tenants?limit=many', undefined, 400],
      ['GET', '/tenants?page=2', undefined, 400],
      ['GET', `${base}/users?cursor=%00`, undefined, 400],
      ['GET', `${base}/users?cursor=AAAA`, undefined, 400],
      ['GET', '/nothing', undefined, 404],
      ['PATCH', '/tenants', {}, 404],
    ];
    for (const [method, path, body, status] of cases) {
      const answer = await gateway.api(method, path, body);
      expect([method, path, answer.status]).toEqual([method, path, status]);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body.detail).toMatch(/\w.*\.$/);
    }
  });

  it('refuses text that no column can hold, wherever it stands', async () => {
    const reads = [
      'users?search=%00',
      'users?role=%00',
      'groups?search=%00',
      'audit?subject=%00',
      'audit?action=%00',
    ];
    for (const path of reads) {
      expect([path, (await gateway.api('GET', `${base}/${path}`)).status]).toEqual([path, 400]);
    }
    expect((await gateway.api('GET', '/tenants?cursor=AA')).status).toBe(400);
    expect((await gateway.api('GET', '/tenants/%00')).status).toBe(404);
    for (const bad of ['a\u0000b', '\ud800']) {
      const writes: [string, string, object][] = [
        ['POST', '/tenants', { name: bad, slug: 'nul' }],
        ['POST', '/operators', { name: bad }],
        ['POST', `${base}/directories`, { name: bad, kind: 'okta' }],
        ['POST', `${base}/keys`, { name: bad, role: 'admin' }],
        ['POST', `${base}/mappings`, mapping(1, bad)],
        ['PUT', `${base}/contract`, { ...contract, tier: bad }],
        ['PUT', `${base}/blue`, { organizationId: bad, tokenId: 'x', tokenSecret: 'x' }],
      ];
      for (const [method, path, body] of writes) {
        expect([path, (await gateway.api(method, path, body)).status]).toEqual([path, 400]);
      }
    }
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    expect((await gateway.api('POST', '/tenants', deep)).status).toBe(400);
    const old = { ...contract, startsOn: '0000-01-01' };
    expect((await gateway.api('PUT', `${base}/contract`, old)).body.field).toBe('startsOn');
    const slug = '00000000-0000-7000-8000-000000000001';
    expect((await gateway.api('POST', '/tenants', { name: 'x', slug })).body.field).toBe('slug');
  });

  it('is in the OpenAPI document, with a summary and its answers', async () => {
    const { body } = await gateway.api('GET', '/openapi.json', undefined, null);
    expect(body.openapi).toBe('3.1.0');
    const operations = Object.entries<Record<string, { summary?: string; responses: object }>>(body.paths);
    expect(operations.length).toBeGreaterThan(20);
    for (const [path, methods] of operations) {
      expect(path).toMatch(/^\/(api\/v1|sso)\//);
      for (const [method, { summary, responses }] of Object.entries(methods)) {
        expect(summary, `${method} ${path}`).toMatch(/\w/);
        // Single sign-on names each of its answers, the API all refusals together.
        const refusals = path.startsWith('/api/') ? ['4XX'] : [];
        expect(Object.keys(responses), `${method} ${path}`).toEqual(expect.arrayContaining(refusals));
        expect(Object.keys(responses).length, `${method} ${path}`).toBeGreaterThan(0);
      }
    }
    for (const path of ['/docs', '/docs/']) {
      const page = await fetch(`${gateway.url}${path}`);
      const text = await page.text();
      expect([page.status, text]).toEqual([200, expect.stringContaining('swagger-ui')]);
      // What the page loads is there, from wherever it is looked at.
      for (const [, source = ''] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
        expect((await fetch(new URL(source, page.url))).status, `${path}: ${source}`).toBe(200);
      }
    }
  });
});
