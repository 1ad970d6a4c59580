/** Every limit on what comes over SCIM: met, it answers with the right status and a sentence that says what to do. */

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { type Answer, made, startGateway, type TestGateway } from '../support/gateway.ts';
import { groupUrn, newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;
let userId: string;
let groupId: string;

beforeAll(async () => {
  gateway = await startGateway();
  client = await newClient(gateway);
  userId = (await client.user({ userName: 'limits@example.com' })).id;
  groupId = (await client.group({ displayName: 'Limits' })).id;
});
afterAll(() => gateway.close());

const many = (count: number) => Array.from({ length: count }, (_, n) => n);
const get = (path: string, parameters: Record<string, string>) =>
  client.send('GET', `${path}?${new URLSearchParams(parameters)}`);
const newUser = (attributes: object) =>
  client.send('POST', '/Users', { schemas: [userUrn], userName: 'more@example.com', ...attributes });
const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

interface Case {
  /** What is met; undefined: it bounds work and is never met from outside. */
  met?: () => Promise<Answer>;
  status?: number;
  scimType?: string;
  /** What the sentence holds. */
  says?: RegExp;
}

const figure = (limit: keyof typeof limits) => new RegExp(String(limits[limit]));

const cases: Partial<Record<keyof typeof limits, Case>> = {
  bodyBytesMax: {
    met: () => newUser({ title: 'x'.repeat(limits.bodyBytesMax) }),
    status: 413,
    says: /larger/,
  },
  filterLengthMax: {
    met: () => client.search('/Users', { filter: `userName eq "${'x'.repeat(limits.filterLengthMax)}"` }),
    ...{ status: 400, scimType: 'invalidFilter', says: figure('filterLengthMax') },
  },
  filterDepthMax: {
    met: () => get('/Users', { filter: `${'('.repeat(17)}title pr${')'.repeat(17)}` }),
    ...{ status: 400, scimType: 'invalidFilter', says: figure('filterDepthMax') },
  },
  filterTermsMax: {
    met: () =>
      get('/Users', {
        filter: many(65)
          .map(() => 'title pr')
          .join(' or '),
      }),
    ...{ status: 400, scimType: 'invalidFilter', says: figure('filterTermsMax') },
  },
  patchOperationsMax: {
    met: () =>
      client.patch(
        `/Groups/${groupId}`,
        ...many(limits.patchOperationsMax + 1).map(() => ({ op: 'remove', path: 'members' })),
      ),
    ...{ status: 413, says: figure('patchOperationsMax') },
  },
  membersPerRequestMax: {
    met: () =>
      client.send('PUT', `/Groups/${groupId}`, {
        schemas: [groupUrn],
        displayName: 'Limits',
        members: many(limits.membersPerRequestMax + 1).map((n) => ({ value: uuid(n) })),
      }),
    ...{ status: 400, scimType: 'invalidValue', says: figure('membersPerRequestMax') },
  },
  valuesPerAttributeMax: {
    met: () => newUser({ roles: many(limits.valuesPerAttributeMax + 1).map((n) => ({ value: `r${n}` })) }),
    ...{ status: 400, scimType: 'invalidValue', says: figure('valuesPerAttributeMax') },
  },
  valueLengthMax: {
    met: () => newUser({ title: 'x'.repeat(limits.valueLengthMax + 1) }),
    ...{ status: 400, scimType: 'invalidValue', says: figure('valueLengthMax') },
  },
  keyBytesMax: {
    met: () => newUser({ userName: 'x'.repeat(limits.keyBytesMax + 1) }),
    ...{ status: 400, scimType: 'invalidValue', says: figure('keyBytesMax') },
  },
  jsonDepthMax: {
    met: () => client.send('POST', '/Users', `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`),
    ...{ status: 400, scimType: 'invalidSyntax', says: figure('jsonDepthMax') },
  },
  projectionNamesMax: {
    met: () => get('/Users', { attributes: many(limits.projectionNamesMax + 1).join(',') }),
    ...{ status: 400, scimType: 'invalidValue', says: figure('projectionNamesMax') },
  },
  resourceLengthMax: {
    met: () => newUser({ photos: many(5).map((n) => ({ value: `${n}${'x'.repeat(60_000)}` })) }),
    ...{ status: 413, says: figure('resourceLengthMax') },
  },
  cursorLengthMax: {
    met: () => get('/Users', { cursor: 'x'.repeat(limits.cursorLengthMax + 1) }),
    ...{ status: 400, scimType: 'invalidCursor', says: /begin again/ },
  },
  bulkOperationsMax: {
    met: () => client.bulk(many(limits.bulkOperationsMax + 1).map(() => ({}))),
    ...{ status: 413, says: figure('bulkOperationsMax') },
  },
  searchMsMax: {
    met: () => whileLocked('users', () => get('/Users', { filter: 'title co "x"' })),
    ...{ status: 400, scimType: 'invalidFilter', says: /filter by userName/ },
  },
  parkedMembersMax: {
    met: async () => {
      const crowded = await newClient(gateway);
      const settings = `/tenants/${crowded.tenant.slug}/settings`;
      await made(gateway.api('PUT', settings, { parking: true, requestRetentionDays: 30 }));
      const { id } = await crowded.group({ displayName: 'Crowd' });
      for (const half of [0, 1]) {
        const value = many(limits.membersPerRequestMax).map((n) => ({ value: `${half}-${n}` }));
        const { status } = await crowded.patch(`/Groups/${id}`, { op: 'add', path: 'members', value });
        expect(status).toBe(204);
      }
      return await crowded.patch(`/Groups/${id}`, {
        op: 'add',
        path: 'members',
        value: [{ value: 'one more' }],
      });
    },
    ...{ status: 413, says: /push the people first/ },
  },
};

/** Work that waits for the table is ended by its own time limit. */
async function whileLocked<T>(table: string, work: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: gateway.databaseUrl });
  await owner.connect();
  await owner.query('begin');
  await owner.query(`lock table ${table} in access exclusive mode`);
  try {
    return await work();
  } finally {
    await owner.query('rollback');
    await owner.end();
  }
}

describe.each(Object.entries(cases))('%s', (_limit, { met, status, scimType, says }) => {
  it('is told', { timeout: 60_000 }, async () => {
    const answer = await met?.();
    expect([answer?.status, answer?.body.scimType], answer?.body.detail).toEqual([status, scimType]);
    expect(answer?.body).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: String(status),
    });
    expect(answer?.body.detail).toMatch(says ?? /^/);
    expect(answer?.body.detail).toMatch(/^[A-Z"].*\.$/);
  });
});

it('a body that is too large is answered while it is still being sent', { timeout: 60_000 }, async () => {
  const body = JSON.stringify({ schemas: [userUrn], title: 'x'.repeat(3 * limits.bodyBytesMax) });
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(many(4).map(() => client.send('POST', '/Users', body)));
    expect(answers.map(({ status }) => status)).toEqual([413, 413, 413, 413]);
  }
});

it('what is cut instead of refused is what discovery says', async () => {
  const { body } = await get('/Users', { count: '100000' });
  expect(body.itemsPerPage).toBe(body.totalResults);
  const { pagination } = (await client.send('GET', '/ServiceProviderConfig')).body;
  expect(pagination.maxPageSize).toBe(limits.pageSizeMax);
});

it('too many requests are told when to come back, in whole seconds', async () => {
  const slow = await startGateway({ config: { scimRateLimit: 5 } });
  const hasty = await newClient(slow);
  const answers = await Promise.all(many(300).map(() => hasty.send('GET', '/ServiceProviderConfig')));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(20);
  for (const { status, headers, body } of refused) {
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(body.detail).toMatch(/5 requests a second: wait/);
  }
  await slow.close();
});

it('no limit of SCIM is forgotten here', () => {
  const others =
    /^(token|assertion|audit|saml|claimed|accessRequests|connection|domain|department|dns|login|session|clock|secrets|issuer|keysPerIssuer|mappings|workspace|transaction|statement|record|request|housekeeping|exclusions|untrusted|people|joins|subPools|seats|date|preview|openId|oidc|metadata|signal|signIn|mappingDrafts|blockGuard|cliff|blue|list|lostAnswer|replay|import|schemas|extension|attributesPerSchema|subAttributes|pageSize|pageBytes|unreadAnswers|membersPerPage|pathPart)/;
  const untold = Object.keys(limits).filter((name) => !(name in cases) && !others.test(name));
  expect(untold).toEqual([]);
});

it('a user is not harmed by any of it', async () => {
  expect((await client.send('GET', `/Users/${userId}`)).body.meta.version).toBe('W/"1"');
});
