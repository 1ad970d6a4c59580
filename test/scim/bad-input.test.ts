/**
 * A body under /scim/v2 that can't be understood gets a SCIM error that says so, changes no row in the database, and
 * leaves the gateway serving.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  newGroup,
  newUser,
  noise,
  patch,
  patchOp,
  startTarget,
  type Target,
  unknownId,
} from './bad-input-support.ts';

let target: Target;
const refuse: Target['refuse'] = (...request) => target.refuse(...request);

beforeAll(async () => {
  target = await startTarget();
});

afterAll(() => target.close());

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('a body', () => {
  it.each<[string, string, string | undefined]>([
    ['cut off', '{"schemas":', 'invalidSyntax'],
    ['of text', 'hello', 'invalidSyntax'],
    ['of nothing', '', 'invalidSyntax'],
    ['of white space', ' \n', 'invalidSyntax'],
    ['of an array', '[]', 'invalidSyntax'],
    ['of null', 'null', 'invalidSyntax'],
    ['of a number', '1e999', 'invalidSyntax'],
    ['with a comma too many', '{"schemas":[],}', 'invalidSyntax'],
    ['with a byte order mark and nothing else', '\ufeff', 'invalidSyntax'],
    ['without schemas', '{"userName":"new@example.com"}', 'invalidSyntax'],
    ['of schemas that are no list', '{"schemas":"x","userName":"new@example.com"}', 'invalidSyntax'],
    ['of an unknown schema', '{"schemas":["urn:x"],"userName":"new@example.com"}', 'invalidSyntax'],
    ['of the wrong resource', newGroup({ userName: 'new@example.com' }), 'invalidSyntax'],
    ['nested without end', `{"schemas":${deep(50_000)}}`, 'invalidSyntax'],
    ['nested a little too deep', newUser({ x: JSON.parse(deep(17)) }), 'invalidSyntax'],
    ['that means the prototype', newUser({}).replace('{', '{"__proto__":{"active":false},'), 'invalidSyntax'],
    [
      'that means the constructor',
      newUser({}).replace('{', '{"constructor":{"prototype":{}},'),
      'invalidSyntax',
    ],
  ])('%s is refused', async (_what, body, scimType) => {
    await refuse({ method: 'POST', path: '/Users', body }, 400, scimType);
    await refuse({ method: 'PUT', path: '/Users/{user}', body }, 400, scimType);
    await refuse({ method: 'PATCH', path: '/Users/{user}', body }, 400, scimType);
  });

  it.each([
    ['userName of a number', { userName: 1 }],
    ['userName of a list', { userName: ['x'] }],
    ['userName of an object', { userName: {} }],
    ['no userName', { userName: null }],
    ['an empty userName', { userName: '' }],
    ['a userName of a million characters', { userName: 'a'.repeat(1_000_000) }],
    ['a userName too long for an index', { userName: noise(4000) }],
    ['an externalId too long for an index', { externalId: noise(4000) }],
    ['an e-mail too long for an index', { emails: [{ value: noise(4000) }] }],
    ['a NUL', { userName: 'a\0b' }],
    ['a NUL deep inside', { name: { givenName: '\0' } }],
    ['a NUL in externalId', { externalId: 'a\0' }],
    ['half of a surrogate pair', { userName: 'a\ud800' }],
    ['half of a surrogate pair deep inside', { emails: [{ value: '\udc00' }] }],
    ['active of a word', { active: 'yes' }],
    ['active of a number', { active: 1 }],
    ['emails of an object', { emails: { value: 'a@example.com' } }],
    ['emails of numbers', { emails: [1] }],
    ['an e-mail of an object', { emails: [{ value: {} }] }],
    ['501 e-mails', { emails: Array.from({ length: 501 }, (_, n) => ({ value: `${n}@example.com` })) }],
    ['a name of text', { name: 'Anna' }],
    ['an extension of text', { 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': 'x' }],
    [
      'a manager of a number',
      { 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: 7 } },
    ],
  ])('with %s is refused', async (_what, more) => {
    await refuse({ method: 'POST', path: '/Users', body: newUser(more) }, 400, 'invalidValue');
  });

  it('larger than 4 MiB is refused, whether it says so or not', async () => {
    const body = Buffer.alloc(4 * 1024 * 1024 + 1, 'a');
    const closing = { connection: 'close' };
    await refuse({ method: 'POST', path: '/Users', body, headers: closing }, 413);
    await refuse(
      { method: 'POST', path: '/Users', body, headers: { ...closing, 'transfer-encoding': 'chunked' } },
      413,
    );
  });

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'nonsense',
    '',
  ])('of type "%s" is refused', async (type) => {
    const headers: Record<string, string> = { 'content-type': type };
    await refuse({ method: 'POST', path: '/Users', body: newUser({}), headers }, 415);
  });

  it('that is packed is refused, since nothing here unpacks', async () => {
    const { gzipSync } = await import('node:zlib');
    const headers = { 'content-encoding': 'gzip' };
    await refuse(
      { method: 'POST', path: '/Users', body: gzipSync(newUser({})), headers },
      400,
      'invalidSyntax',
    );
  });

  it('with names nobody knows is taken without them', async () => {
    const more = {
      nonsense: { __proto: 1 },
      'urn:x:y': {},
      toString: 'x',
      hasOwnProperty: 1,
      id: 'x',
      meta: 7,
    };
    const answer = await target.scim({ method: 'POST', path: '/Users', body: newUser(more) });
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body)).not.toContain('nonsense');
    expect((await target.scim({ method: 'DELETE', path: `/Users/${answer.body.id}` })).status).toBe(204);
  });
});

describe('a group', () => {
  it.each([
    ['without displayName', { displayName: undefined }],
    ['of a displayName too long for an index', { displayName: noise(4000) }],
    ['of members that are no list', { members: 'x' }],
    ['of a member that is a number', { members: [7] }],
    ['of a member that is a list', { members: [['x']] }],
    ['of a member without value', { members: [{ display: 'Anna' }] }],
    ['of a member whose value is an object', { members: [{ value: {} }] }],
    ['of a member that is no id', { members: [{ value: 'anna' }] }],
    ['of a member with a NUL', { members: [{ value: 'a\0' }] }],
    ['of a member nobody knows', { members: [{ value: unknownId }] }],
    ['of a known and an unknown member', { members: [{ value: '{user}' }, { value: unknownId }] }],
    ['of a group', { members: [{ value: unknownId, type: 'Group' }] }],
  ])('%s is refused', async (_what, more) => {
    const body = target.fill(newGroup(more));
    await refuse({ method: 'POST', path: '/Groups', body }, 400, 'invalidValue');
    await refuse({ method: 'PUT', path: '/Groups/{group}', body }, 400, 'invalidValue');
  });

  it('of more members than are taken is refused', async () => {
    const body = newGroup({ members: Array.from({ length: 50_001 }, () => ({ value: unknownId })) });
    await refuse({ method: 'POST', path: '/Groups', body }, 400, 'invalidValue');
  });
});

describe('a PATCH', () => {
  it.each<[string, unknown[], string]>([
    ['of no object', ['x'], 'invalidSyntax'],
    ['of no verb', [{ path: 'title', value: 'x' }], 'invalidSyntax'],
    ['of an unknown verb', [{ op: 'move', path: 'title', value: 'x' }], 'invalidSyntax'],
    ['of a path that is no text', [{ op: 'add', path: 7, value: 'x' }], 'invalidPath'],
    ['of a path without end', [{ op: 'add', path: 'emails['.repeat(5000), value: 'x' }], 'invalidPath'],
    ['of a broken filter', [{ op: 'replace', path: 'emails[type eq].value', value: 'x' }], 'invalidFilter'],
    ['of a path to what is read-only', [{ op: 'replace', path: 'id', value: 'x' }], 'mutability'],
    ['of a remove from nowhere', [{ op: 'remove' }], 'noTarget'],
    ['of a value of the wrong type', [{ op: 'replace', path: 'userName', value: {} }], 'invalidValue'],
    ['that takes the userName away', [{ op: 'remove', path: 'userName' }], 'mutability'],
    ['that sets a NUL', [{ op: 'replace', path: 'title', value: '\0' }], 'invalidValue'],
    [
      'that makes the userName too long',
      [{ op: 'replace', path: 'userName', value: noise(4000) }],
      'invalidValue',
    ],
    [
      'of a good and a bad operation',
      [{ op: 'add', path: 'title', value: 'x' }, { op: 'x' }],
      'invalidSyntax',
    ],
  ])('%s is refused', async (_what, operations, scimType) => {
    await refuse({ method: 'PATCH', path: '/Users/{user}', body: patch(...operations) }, 400, scimType);
  });

  it('without operations that are a list is refused', async () => {
    const body = JSON.stringify({ schemas: [patchOp], Operations: { op: 'add' } });
    await refuse({ method: 'PATCH', path: '/Users/{user}', body }, 400, 'invalidSyntax');
  });

  it('of more operations than are taken is refused', async () => {
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'add', path: 'title', value: 'x' }));
    await refuse({ method: 'PATCH', path: '/Users/{user}', body: patch(...operations) }, 413);
  });

  it.each([
    ['value', [{ value: 7 }]],
    ['form', [[1]]],
    ['id', [{ value: 'nobody' }]],
    ['user', [{ value: unknownId }]],
    ['type', [{ value: unknownId, type: 'group' }]],
  ])('that adds a member of the wrong %s is refused', async (_what, value) => {
    const body = patch({ op: 'add', path: 'members', value });
    await refuse({ method: 'PATCH', path: '/Groups/{group}', body }, 400, 'invalidValue');
  });
});
