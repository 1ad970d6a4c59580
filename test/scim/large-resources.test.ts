/** Resources that grow and pages of large ones: no request makes what the next can't be answered with. */

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** About so many characters, which the database compresses to next to nothing. */
function photos(characters: number, name = 'p') {
  return Array.from({ length: Math.ceil(characters / 50_000) }, (_, n) => ({
    value: `${name}${n}`.padEnd(Math.min(50_000, characters - n * 50_000), 'x'),
  }));
}

describe('a user', () => {
  let client: ScimClient;
  beforeAll(async () => {
    client = await newClient(gateway);
  });

  it('may be as large as the limit and no larger, whether created, replaced or patched', async () => {
    const body = (characters: number) => ({
      schemas: [userUrn],
      userName: 'large',
      photos: photos(characters),
    });
    const refused = await client.send('POST', '/Users', body(limits.resourceLengthMax));
    expect([refused.status, refused.body.detail]).toEqual([413, expect.stringContaining('262144')]);
    const { id } = await client.user(body(limits.resourceLengthMax - 1000));
    expect((await client.send('PUT', `/Users/${id}`, body(limits.resourceLengthMax))).status).toBe(413);
    const grown = { op: 'add', path: 'photos', value: photos(2000, 'q') };
    expect((await client.patch(`/Users/${id}`, grown)).status).toBe(413);
    expect((await client.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'x' })).status).toBe(
      200,
    );
    const [failed] = (await client.bulk([{ method: 'PATCH', path: `/Users/${id}`, data: patchOf(grown) }]))
      .body.Operations;
    expect(failed.status).toBe('413');
  });

  it('that is too large from before can still be switched off', async () => {
    const { id } = await client.user({ userName: 'from before' });
    const huge = JSON.stringify({ photos: photos(2 * limits.resourceLengthMax) });
    await asTenant(client, `update users set attributes = attributes || $1::jsonb where id = $2`, [huge, id]);
    const off = await client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
    expect([off.status, off.body.active]).toEqual([200, false]);
    expect((await client.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'x' })).status).toBe(413);
  });
});

function patchOf(...Operations: object[]) {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations };
}

async function asTenant(client: ScimClient, statement: string, values: unknown[]): Promise<void> {
  const owner = new pg.Client(gateway.databaseUrl);
  await owner.connect();
  await owner.query('begin');
  await owner.query(
    `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true)`,
    [client.tenant.tenantId],
  );
  await owner.query(statement, values);
  await owner.query('commit');
  await owner.end();
}

describe('a page of large resources', () => {
  const size = 250_000;
  const count = Math.ceil((1.2 * limits.pageBytesMax) / size);
  let client: ScimClient;
  beforeAll(async () => {
    client = await newClient(gateway);
    for (let n = 0; n < count; n += 1) {
      const userName = `large${String(n).padStart(3, '0')}`;
      await client.user({ userName, photos: photos(size, userName) });
    }
  }, 60_000);

  describe.each([['/Users'], ['/']])('of %s', (path) => {
    it.each([{}, { sortBy: 'userName', sortOrder: 'descending' }])(
      'ends early, says so, and the next goes on by index: %o',
      async (query) => {
        const found: string[] = [];
        const sizes: number[] = [];
        for (let startIndex = 1; startIndex <= count; ) {
          const { body } = await client.search(path === '/' ? '' : path, {
            ...query,
            startIndex,
            count: 1000,
          });
          expect([body.totalResults, body.itemsPerPage]).toEqual([count, body.Resources.length]);
          found.push(...body.Resources.map(({ userName }: { userName: string }) => userName));
          sizes.push(JSON.stringify(body).length);
          startIndex += body.itemsPerPage;
        }
        expect(new Set(found).size).toBe(count);
        expect(found.length).toBe(count);
        expect(Math.max(...sizes)).toBeLessThan(limits.pageBytesMax + 2 * size);
      },
    );

    it.each([{}, { sortBy: 'userName' }])('ends early, and the next goes on by cursor: %o', async (query) => {
      const found: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const { body } = await client.search(path === '/' ? '' : path, { ...query, cursor, count: 1000 });
        found.push(...body.Resources.map(({ userName }: { userName: string }) => userName));
        cursor = body.nextCursor;
      }
      expect(found.toSorted()).toEqual([...new Set(found)].toSorted());
      expect(found.length).toBe(count);
    });
  });
});
