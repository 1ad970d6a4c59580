/**
 * A search, path, method, token or head that can't be understood gets a SCIM error that says so, changes no row in the
 * database, and leaves the gateway serving; too many requests are told to wait.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { send, sendBytes } from '../support/raw.ts';
import { errorUrn, newUser, patch, startTarget, type Target, unknownId } from './bad-input-support.ts';

let target: Target;
const refuse: Target['refuse'] = (...request) => target.refuse(...request);

beforeAll(async () => {
  target = await startTarget();
});

afterAll(() => target.close());

describe('a search', () => {
  const query = (text: string) => `?filter=${encodeURIComponent(text)}`;

  it.each([
    ['without end', '('.repeat(3000)],
    ['of 20,000 parentheses', `${'('.repeat(20_000)}title pr${')'.repeat(20_000)}`],
    ['nested a little too deep', `${'('.repeat(17)}title pr${')'.repeat(17)}`],
    ['of a long row of not', 'not '.repeat(1000)],
    ['of too many terms', Array.from({ length: 65 }, () => 'title pr').join(' or ')],
    ['of nothing but space', '   '],
    ['of one word', 'title'],
    ['without a value', 'userName eq'],
    ['of an unknown attribute', 'nonsense eq "x"'],
    ['of the prototype', '__proto__ eq "x"'],
    ['of a method', 'toString pr'],
    ['of an unknown operator', 'userName like "x"'],
    ['of a number for a word', 'meta.created gt "yesterday"'],
    ['of a word for a boolean', 'active eq "maybe"'],
    ['of an open quotation', 'userName eq "x'],
    ['of a NUL', 'userName eq "a\0"'],
    ['of an escaped NUL', 'userName eq "a\\u0000"'],
    ['of an escaped half of a pair', 'userName eq "\\ud800"'],
    ['of SQL', `userName eq "x"; drop table users; --`],
    ['of what can only be read', 'meta.location eq "x"'],
  ])('%s is refused', async (_what, filter) => {
    // Node itself ends a head of more than 16 KiB.
    if (filter.length > 16_000) {
      expect((await target.scim({ path: `/Users${query(filter)}` })).status).toBe(431);
      return;
    }
    await refuse({ path: `/Users${query(filter)}` }, 400, 'invalidFilter');
    await refuse({ path: `/Groups${query(filter)}` }, 400, 'invalidFilter');
  });

  it.each([
    'count=x',
    'count=1.5',
    'startIndex=',
    'startIndex=1e3',
    'count=1&count=2',
    'count=99999999999999999999',
  ])('with %s is refused', async (text) => {
    await refuse({ path: `/Users?${text}` }, 400, 'invalidValue');
  });

  it('with two filters is refused', async () => {
    await refuse({ path: '/Users?filter=title%20pr&filter=title%20pr' }, 400, 'invalidFilter');
  });

  it('with too many names is refused', async () => {
    await refuse({ path: `/Users?attributes=${'a,'.repeat(300)}` }, 400, 'invalidValue');
  });

  it.each([
    ['count=-5', { totalResults: 1, itemsPerPage: 0 }],
    ['count=0', { totalResults: 1, itemsPerPage: 0 }],
    ['startIndex=-7', { totalResults: 1, startIndex: 1, itemsPerPage: 1 }],
    ['startIndex=999999999999', { totalResults: 1, itemsPerPage: 0 }],
    ['count=999999999', { totalResults: 1, itemsPerPage: 1 }],
    ['filter=', { totalResults: 1 }],
    ['attributes=nonsense,__proto__,constructor', { totalResults: 1 }],
    [`filter=${encodeURIComponent(`groups.value eq "no id" or id eq "x"`)}`, { totalResults: 0 }],
    ['nonsense=1&__proto__=2&a[b]=c', { totalResults: 1 }],
  ])('with %s is answered', async (text, body) => {
    const answer = await target.scim({ path: `/Users?${text}` });
    expect(answer.body).toMatchObject(body);
  });
});

describe('a path', () => {
  it.each([
    ['an id that is no id', '/Users/anna'],
    ['an id nobody has', `/Users/${unknownId}`],
    ['a very long id', `/Users/${'a'.repeat(3000)}`],
    ['an id with a NUL', '/Users/%00'],
    ['an id of dots', '/Users/..%2f..%2fetc%2fpasswd'],
    ['an id of a method', '/Users/__proto__'],
    ['a group nobody has', `/Groups/${unknownId}`],
    ['a very long group', `/Groups/${'9'.repeat(3000)}`],
    ['a schema nobody has', `/Schemas/${'urn:x:'.repeat(50)}`],
    ['something else', '/Nonsense'],
    ['something below', `/Users/${unknownId}/x`],
    ['two slashes', '//Users'],
  ])('of %s is 404', async (_what, path) => {
    await refuse({ path }, 404);
  });

  it.each(['/Users/%zz', '/Users/%', '/Users/%c3', '/%E0%A4%A'])(
    'of wrong percent-encoding, %s, is refused',
    async (path) => {
      await refuse({ path }, 400);
    },
  );

  it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'takes no %s at /Users',
    async (method) => {
      await refuse({ method, path: '/Users' }, 404);
    },
  );

  it.each(['PUT', 'PATCH', 'DELETE'])('takes no %s of a user nobody has', async (method) => {
    const body = method === 'PATCH' ? patch({ op: 'add', path: 'title', value: 'x' }) : newUser({});
    for (const id of [unknownId, 'x', 'a'.repeat(2000)])
      await refuse({ method, path: `/Users/${id}`, ...(method === 'DELETE' ? {} : { body }) }, 404);
  });
});

describe('a token', () => {
  const answerTo = (authorization: string) => refuse({ path: '/Users', headers: { authorization } }, 401);

  it.each([
    ['missing', ''],
    ['of another scheme', 'Basic YTpi'],
    ['without a value', 'Bearer '],
    ['of two words', 'Bearer a b'],
    ['of many characters', `Bearer ${'a'.repeat(10_000)}`],
    ['of strange characters', 'Bearer \xff\xfe'],
    ['nobody has', 'Bearer bgw_scim_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ])('%s is refused', async (_what, authorization) => {
    expect((await answerTo(authorization)).headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('of the operator opens no directory', async () => {
    await answerTo(`Bearer ${target.gateway.operatorKey}`);
  });

  it('that has expired or was revoked is refused with the next request', async () => {
    const path = `/tenants/${target.tenant.slug}/directories`;
    const directory = (await target.gateway.api('POST', path, { name: 'other', kind: 'okta' })).body;
    const issue = async (more: object) =>
      (await target.gateway.api('POST', `${path}/${directory.id}/tokens`, { name: 'x', ...more })).body;
    const [short, gone] = [
      await issue({ expiresAt: new Date(Date.now() + 1000).toISOString() }),
      await issue({}),
    ];
    const works = async (one: string) => (await target.gateway.scim(one, 'GET', '/Users')).status;
    expect([await works(short.token), await works(gone.token)]).toEqual([200, 200]);
    expect((await target.gateway.api('DELETE', `${path}/${directory.id}/tokens/${gone.id}`)).status).toBe(
      204,
    );
    await answerTo(`Bearer ${gone.token}`);
    await new Promise((done) => setTimeout(done, 1000));
    await answerTo(`Bearer ${short.token}`);
  });
});

describe('outside of what the gateway serves', () => {
  it.each([
    [
      'a body that is no JSON',
      400,
      { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{' },
    ],
    ['a QUERY without a kind', 400, { method: 'QUERY', headers: { 'content-length': '0' } }],
    [
      'a body that may well be right',
      404,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    ],
  ])('%s is a problem (%i), in our words', async (_what, status, request) => {
    const answer = await send(target.gateway.url, { path: '/scim', ...request });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(answer.body)).not.toContain('FST_ERR');
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['nonsense', 'nonsense\r\n\r\n'],
    ['a method nobody knows', 'FROB /scim/v2/Users HTTP/1.1\r\nhost: x\r\n\r\n'],
    [
      'two lengths',
      'POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    ],
    [
      'a length and chunks',
      'POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a head without end', `GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(17_000)}\r\n\r\n`],
    ['binary', Buffer.from([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00])],
  ])('%s ends the connection and nothing else', async (_what, bytes) => {
    const before = await target.fingerprint();
    expect(await sendBytes(target.gateway.url, bytes)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(await target.fingerprint()).toBe(before);
    expect((await fetch(`${target.gateway.url}/healthz`)).status).toBe(200);
  });
});

describe('too many requests', () => {
  it('are refused with whole seconds to wait, for one token alone', async () => {
    const slow = await startGateway({ config: { scimRateLimit: 5 } });
    try {
      const two = await slow.createTenant();
      const [busy, other] = [await two.directoryToken('okta'), await two.directoryToken('entra')];
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => slow.scim(busy, 'GET', '/ServiceProviderConfig')),
      );
      const refused = answers.filter(({ status }) => status === 429);
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(50);
      expect(refused.length).toBeGreaterThan(0);
      for (const { headers, body } of refused) {
        expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
        expect(body).toMatchObject({ schemas: [errorUrn], status: '429' });
      }
      expect((await slow.scim(other, 'GET', '/ServiceProviderConfig')).status).toBe(200);
      await new Promise((done) => setTimeout(done, 1000 * Number(refused[0]?.headers.get('retry-after'))));
      expect((await slow.scim(busy, 'GET', '/ServiceProviderConfig')).status).toBe(200);
    } finally {
      await slow.close();
    }
  });
});
