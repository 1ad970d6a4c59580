/** That the fuzzer's checks see what they are there for: each of these answers is wrong in one way. */

import { describe, expect, it } from 'vitest';
import { breaches } from './checks.ts';
import { Random } from './random.ts';
import { type FuzzRequest, makeRequest } from './requests.ts';
import { bytesOf, type FuzzAnswer } from './wire.ts';
import { otherMark, World } from './world.ts';

const id = '00000000-0000-7000-8000-000000000001';
const foreign = '00000000-0000-7000-8000-000000000002';
const world = new World({ own: ['own-token'], other: 'other-token' }, 'pw-secret');
world.made('Users', id);
world.other.Users.push(foreign);

const request = (path: string, more: Partial<FuzzRequest> = {}): FuzzRequest => ({
  n: 1,
  method: 'GET',
  target: { path: `/scim/v2${path}`, route: '/Users', kind: 'Users' },
  headers: [],
  body: undefined,
  caller: 'own',
  framing: 'whole',
  ...more,
});
const answer = (status: number, body: unknown, more: Partial<FuzzAnswer> = {}): FuzzAnswer => ({
  status,
  headers: new Map([
    ['content-type', 'application/scim+json; charset=utf-8'],
    ['x-request-id', id],
  ]),
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  ms: 5,
  ...more,
});
const found = (asked: FuzzRequest, got: FuzzAnswer) =>
  breaches(asked, got, { world, msMax: 2000 }).join('; ');

const error = (more: object) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: '400',
  detail: 'No.',
  ...more,
});
const list = (more: object) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults: 1,
  startIndex: 1,
  itemsPerPage: 1,
  Resources: [{ id }],
  ...more,
});
const user = (more: object) => ({ schemas: ['urn:x'], id, ...more });
const byId = { target: { path: `/scim/v2/Users/${id}`, route: '/Users/:id', kind: 'Users', id } } as const;
const ofOther = { target: { ...byId.target, id: foreign } };

describe('the checks', () => {
  it.each<[string, FuzzRequest, FuzzAnswer]>([
    ['an error', request('/Users'), answer(400, error({}))],
    ['a list', request('/Users?count=1'), answer(200, list({}))],
    ['a user', request('', byId), answer(200, user({ title: 'x' }))],
    ['nothing', request('/Users', { method: 'PATCH' }), answer(204, '')],
    ['a refusal below the gateway', request('/Users', { framing: 'noHost' }), answer(400, '')],
  ])('pass %s', (_, asked, got) => {
    expect(found(asked, got)).toBe('');
  });

  it.each<[string, FuzzRequest, FuzzAnswer]>([
    ['status 500', request('/Users'), answer(500, error({ status: '500' }))],
    ['took 2001 ms', request('/Users'), answer(400, error({}), { ms: 2001 })],
    ['closed without', request('/Users'), answer(0, '')],
    ['repeats a secret', request('/Users'), answer(400, error({ detail: 'Not own-token.' }))],
    ['repeats a secret', request('/Users'), answer(201, user({ password: 'pw-secret' }))],
    ['another tenant', request('/Users'), answer(200, list({ Resources: [{ id, userName: otherMark }] }))],
    ['another tenant', request('', ofOther), answer(200, user({ id: foreign }))],
    ['for nobody', request('/Users', { caller: 'nobody' }), answer(200, list({}))],
    ['inside', request('/Users'), answer(400, error({ detail: 'FST_ERR_X' }))],
    [
      'x-request-id',
      request('/Users'),
      answer(400, error({}), { headers: new Map([['content-type', 'application/scim+json']]) }),
    ],
    ['content type', request('/Users'), answer(400, error({}), { headers: new Map([['x-request-id', id]]) })],
    ['no JSON', request('/Users'), answer(200, '{')],
    ['with 204', request('/Users'), answer(204, '{}')],
    ['"status" is 400', request('/Users'), answer(400, error({ status: 400 }))],
    ['"status" is "404"', request('/Users'), answer(400, error({ status: '404' }))],
    ['no detail', request('/Users'), answer(400, error({ detail: ' ' }))],
    ['its schema', request('/Users'), answer(400, error({ schemas: [] }))],
    ['totalResults', request('/Users'), answer(200, list({ totalResults: 0 }))],
    ['itemsPerPage', request('/Users'), answer(200, list({ itemsPerPage: 2 }))],
    ['no startIndex', request('/Users'), answer(200, list({ startIndex: '1' }))],
    ['beyond the end', request('/Users'), answer(200, list({ startIndex: 2 }))],
    ['were asked for', request('/Users?x=1&count=0'), answer(200, list({}))],
    [
      'twice',
      request('/Users'),
      answer(200, list({ totalResults: 2, itemsPerPage: 2, Resources: [{ id }, { id }] })),
    ],
    ['no value', request('', byId), answer(200, user({ name: { givenName: null } }))],
    ['no value', request('', byId), answer(200, user({ manager: {} }))],
    ['no value', request('/Users'), answer(200, list({ Resources: [{ id, emails: [] }] }))],
    ['another id', request('', byId), answer(200, user({ id: foreign }))],
    ['without schemas', request('', byId), answer(200, { id })],
  ])('see %s', (what, asked, got) => {
    expect(found(asked, got)).toContain(what);
  });
});

describe('the inputs', () => {
  it('are the same for the same seed', () => {
    const bytes = (seed: number) =>
      Array.from({ length: 300 }, (_, n) => bytesOf(makeRequest(seed, n, world)).toString('latin1')).join(
        '\n',
      );
    const [first, again, other] = [7, 7, 8].map(bytes);
    expect(first === again).toBe(true);
    expect(first === other).toBe(false);
  });

  it('are drawn evenly', () => {
    const drawn = Array.from({ length: 4000 }, (_, n) => Random.of(3, n).int(4));
    const counts = [0, 1, 2, 3].map((one) => drawn.filter((other) => other === one).length);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
