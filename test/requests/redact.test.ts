/** No secret of a call is kept: in bodies, queries, filters, and in answers that repeat them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DirectoryId, TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { type Call, recordOf } from '../../src/requests/recorded-request.ts';
import { redactJson } from '../../src/requests/redact.ts';
import { redactPath, redactQuery } from '../../src/requests/redact-query.ts';
import { holdsSecretWord, isSecretName, redactFilter } from '../../src/requests/secret-names.ts';

const kept = (value: unknown, max = 16_384) => redactJson(value, max, []).text;
const object = (value: unknown) => JSON.parse(kept(value));
const gone = '[removed]';

describe('a name', () => {
  it.each([
    ...['password', 'Password', 'PASSWORD', 'passWord', 'user_password', 'newPassword', 'passwd', 'pwd'],
    ...['secret', 'client_secret', 'clientSecret', 'token', 'access_token', 'refreshToken', 'id-token'],
    ...['assertion', 'client_assertion', 'authorization', 'Authorization', 'credential', 'credentials'],
    ...['urn:ietf:params:scim:schemas:core:2.0:User:password', 'emails.password', 'api_key', 'ｐassword'],
    ...['pass\u200bword', 'paſsword', `${'x'.repeat(2000)}`],
  ])('%s is that of a secret', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    ...[
      'userName',
      'displayName',
      'active',
      'secretary',
      'passport',
      'urn:ietf:params:scim:schemas:core:2.0:User',
    ],
    ...['authenticationSchemes', 'externalId', 'path', 'value', ''],
  ])('%s is not', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('a body', () => {
  it('keeps everything but what secrets are called', () => {
    const body = {
      userName: 'ann',
      password: 'hunter2',
      Secret: ['a', { b: 'c' }],
      name: { givenName: 'Ann', access_token: 7 },
      'urn:ietf:params:scim:schemas:core:2.0:User:password': 'hunter2',
      emails: [{ value: 'a@x.example', primary: true, token: null }],
    };
    expect(object(body)).toEqual({
      userName: 'ann',
      password: gone,
      Secret: gone,
      name: { givenName: 'Ann', access_token: gone },
      'urn:ietf:params:scim:schemas:core:2.0:User:password': gone,
      emails: [{ value: 'a@x.example', primary: true, token: gone }],
    });
  });

  it.each([
    { op: 'replace', path: 'password', value: 'hunter2' },
    { op: 'replace', value: 'hunter2', path: 'PassWord' },
    { op: 'replace', Value: 'hunter2', Path: 'urn:ietf:params:scim:schemas:core:2.0:User:password' },
    { op: 'replace', path: 'password.value', value: { a: ['hunter2'] } },
    { op: 'replace', path: 'keys[type eq "a"].secret', value: 'hunter2' },
    { op: 'replace', path: ['password'], value: 'hunter2' },
    { op: 'replace', path: '"password"', value: 'hunter2' },
    { op: 'replace', value: { password: 'hunter2' } },
    { op: 'replace', value: { 'urn:ietf:params:scim:schemas:core:2.0:User:password': 'hunter2' } },
    { op: 'remove', path: 'emails[password eq "hunter2"]' },
    { op: 'replace', attribute: 'password', value: 'hunter2' },
    { op: 'replace', path: 'x', value: '{"password":"hunter2"}' },
    { method: 'POST', path: '/Users', data: { userName: 'ann', password: 'hunter2' } },
    { method: 'PATCH', path: '/Users/1', data: { Operations: [{ path: 'password', value: 'hunter2' }] } },
    { filter: 'userName eq "a" and password eq "hunter2"' },
    { displayName: 'bgw_scim_hunter2 and bgw_key_hunter2' },
    { displayName: 'bgw_at_hunter2 and bgw_cs_hunter2' },
  ])('holds no secret of an operation: %j', (operation) => {
    const text = kept({ Operations: [operation] });
    expect(text).not.toContain('hunter2');
    expect(text).toContain(gone);
  });

  it.each([
    { op: 'replace', path: 'displayName', value: 'password' },
    { op: 'add', path: 'members', value: [{ value: '1', display: 'Token holders' }] },
    { op: 'remove', path: 'emails[value eq "token@x.example"]' },
    { filter: 'displayName eq "Password resetters"' },
    { detail: 'The filter can not be read: {' },
  ])('is as it was where there is none: %j', (operation) => {
    expect(object(operation)).toEqual(operation);
  });

  it('is read as the gateway reads it: escaped and doubled names hide nothing', () => {
    const text = '{"pass\\u0077ord":"hunter2","a":"hunter3","a":1,"password":"hunter4"}';
    expect(kept(JSON.parse(text))).toBe(`{"password":"${gone}","a":1}`);
  });

  it('is cut between two characters, at so many bytes', () => {
    const whole = JSON.stringify({ a: 'é€😀'.repeat(50) });
    for (let max = 0; max < 80; max += 1) {
      const { text, isTruncated } = redactJson(JSON.parse(whole), max, []);
      expect(isTruncated).toBe(true);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
      expect(Buffer.byteLength(text)).toBeGreaterThan(max - 4);
      expect(whole.startsWith(text)).toBe(true);
    }
    const bytes = Buffer.byteLength(whole);
    expect(redactJson(JSON.parse(whole), bytes, [])).toEqual({ text: whole, isTruncated: false });
    expect(redactJson(JSON.parse(whole), bytes - 1, []).isTruncated).toBe(true);
  });

  it('costs little, however large or deep it is', () => {
    let deep: unknown = 'hunter2';
    for (let n = 0; n < 100_000; n += 1) deep = n % 2 === 0 ? [deep] : { a: deep };
    const members = Array.from({ length: 100_000 }, (_, n) => ({
      value: `member ${n}`,
      password: 'hunter2',
    }));
    const wide = Object.fromEntries(members.map(({ value }) => [value, value]));
    const long = 'x'.repeat(4_000_000);
    for (const body of [
      { deep },
      { members },
      wide,
      { long },
      { filter: `password ${long}` },
      { path: long },
    ]) {
      const start = performance.now();
      const { text } = redactJson(body, 16_384, []);
      expect(performance.now() - start).toBeLessThan(200);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16_384);
      expect(text).not.toContain('hunter2');
    }
  });
});

describe('a filter', () => {
  it.each([
    ['password eq "hunter2"', `password eq "${gone}"`],
    ['PASSWORD EQ "hunter2"', `PASSWORD EQ "${gone}"`],
    ['password eq hunter2', `password eq ${gone}`],
    ['password eq "hunter\\"2"', `password eq "${gone}"`],
    ['password eq "hunter2', `password eq "${gone}"`],
    ['userName eq "a" and not (password sw "h")', `userName eq "${gone}" and not (password sw "${gone}")`],
    ['urn:x:User:password eq "h"', `urn:x:User:password eq "${gone}"`],
    ['password[value eq "h"].display', `password[value eq "${gone}"].display`],
    ['password pr', 'password pr'],
    ['password', 'password'],
    ['"password" eq "hunter2"', `"${gone}" eq "${gone}"`],
    ['password=hunter2', gone],
    ['pass"word" eq "hunter2"', `${gone}"${gone}" eq "${gone}"`],
    ['userName eq "ann"', 'userName eq "ann"'],
    ['displayName eq "token ring"', 'displayName eq "token ring"'],
  ])('%s', (filter, expected) => {
    expect(redactFilter(filter, [])).toBe(expected);
  });
});

describe('a query', () => {
  it.each([
    ['filter=userName%20eq%20%22ann%22&count=1', 'filter=userName%20eq%20%22ann%22&count=1'],
    ['filter=userName+eq+%22a%22&x=%zz', 'filter=userName+eq+%22a%22&x=%zz'],
    ['attributes=userName,password&sortBy=password', 'attributes=userName,password&sortBy=password'],
    ['password=hunter2&a=1', `password=${gone}&a=1`],
    ['p%61ssword=hunter2', `p%61ssword=${gone}`],
    ['access_token=hunter2&&', `access_token=${gone}&&`],
    ['filter=password+eq+%22hunter2%22', `filter=password%20eq%20%22%5Bremoved%5D%22`],
    ['filter=password%2520eq%2520%2522hunter2%2522', `filter=password%20eq%20%22%5Bremoved%5D%22`],
    ['filter=%ff+password+eq+%22hunter2%22', 'filter=%5Bremoved%5D%20password%20eq%20%22%5Bremoved%5D%22'],
    ['a=bgw_scim_hunter2', 'a=%5Bremoved%5D'],
    ['a=bgw_at_hunter2', 'a=%5Bremoved%5D'],
    ['a=bgw%255fcs_hunter2', 'a=%5Bremoved%5D'],
    ['', ''],
  ])('%s', (query, expected) => {
    expect(redactQuery(query, [])).toBe(expected);
  });
});

describe('a path', () => {
  it.each([
    ['/scim/v2/Users/a%7Cb%zz', '/scim/v2/Users/a%7Cb%zz'],
    ['/scim/v2/Users/bgw_scim_hunter2', '/scim/v2/Users/%5Bremoved%5D'],
    ['/scim/v2/bgw_cs_hunter2/x', '/scim/v2/%5Bremoved%5D/x'],
    ['/scim/v2/Users/%62gw%5fat%255Fhunter2', '/scim/v2/Users/%5Bremoved%5D'],
  ])('%s', (path, expected) => {
    expect(redactPath(path)).toBe(expected);
  });
});

const call = (over: Partial<Call>): Call => ({
  tenantId: 't' as TenantId,
  id: 'i',
  at: new Date(0),
  directoryId: 'd' as DirectoryId,
  tokenId: 'k',
  requestId: 'r',
  method: 'POST',
  url: '/scim/v2/Users',
  userAgent: null,
  body: undefined,
  bodyBytes: null,
  status: 200,
  answer: undefined,
  isAnswerStreamed: false,
  durationMs: 1,
  subject: null,
  ...over,
});

describe('a call', () => {
  it.each([
    [{}, null, null],
    [{ body: undefined, bodyBytes: 12, status: 400 }, '[no JSON object, 12 bytes]', null],
    [{ body: ['hunter2'], bodyBytes: 11, status: 400 }, '[no JSON object, 11 bytes]', null],
    [{ body: undefined, bodyBytes: 12, status: 429 }, '[not read, 12 bytes]', null],
    [{ body: undefined, bodyBytes: 'unknown' as const, status: 415 }, '[not read]', null],
    [{ body: {}, bodyBytes: 2, isAnswerStreamed: true }, '{}', '[streamed]'],
    [{ answer: { a: 1 } }, null, '{"a":1}'],
  ])('%j has these bodies', (over, request, response) => {
    const record = recordOf(call(over));
    expect([record.request_body, record.response_body]).toEqual([request, response]);
  });

  it('says that a body was cut', () => {
    const long = { a: 'x'.repeat(limits.recordedBodyBytesMax) };
    const record = recordOf(call({ body: long, bodyBytes: 20_000, answer: {} }));
    expect([record.truncated, record.request_body?.length]).toEqual([true, limits.recordedBodyBytesMax]);
    expect(recordOf(call({ answer: long })).truncated).toBe(true);
    expect(recordOf(call({ answer: {} })).truncated).toBe(false);
  });

  it('holds no text that can not be stored', () => {
    const body = { 'a\0': '\0 \ud800', b: `x${'😀'.repeat(8192)}` };
    const record = recordOf(call({ url: '/a\0\ud800?b\0\ud800', userAgent: 'c\0', body, bodyBytes: 9 }));
    for (const text of Object.values(record)) {
      if (typeof text === 'string') expect([text.includes('\0'), text.isWellFormed()]).toEqual([false, true]);
    }
  });

  it('holds no secret that the answer repeats', () => {
    const detail = (text: string, over: Partial<Call>) =>
      recordOf(call({ status: 400, answer: { detail: text, status: '400' }, ...over })).response_body;
    const body = { password: 'hunter2' };
    expect(detail('"hunter2" is too short.', { body, bodyBytes: 9 })).not.toContain('hunter2');
    expect(detail('x "hunter2" y', { url: '/?filter=password eq "hunter2"' })).not.toContain('hunter2');
    const snippet = `Unexpected token 'h', ..."password":hunter2}" is not valid JSON`;
    expect(detail(snippet, { bodyBytes: 30 })).not.toContain('hunter2');
    expect(detail('There is no user "x" here.', {})).toContain('user \\"x\\" here');
  });
});

const secret = 'S3cr3t-planted';
const secretName = fc.constantFrom('password', 'clientSecret', 'access_token', 'PassWord', 'a.b:Credential');
const plainName = fc.constantFrom('userName', 'name', 'emails', 'value', 'data', 'Operations', 'op', 'x.y');
const plainText = fc.oneof(fc.string(), fc.constantFrom('replace', 'userName', 'a "b" c', '{', '😀'));

/** Values with the secret where a secret stands. */
const { value: planted } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    plainText,
    fc.integer(),
    fc.constantFrom(null, true),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(plainName, tie('value'), { maxKeys: 4 }),
    fc
      .tuple(fc.dictionary(plainName, tie('value'), { maxKeys: 3 }), secretName, secretValue())
      .map(([rest, name, value]) => ({ ...rest, [name]: value })),
    fc
      .tuple(fc.constantFrom('path', 'Path', 'attribute'), fc.constantFrom('value', 'Value'), secretName)
      .map(([path, value, name]) => ({ [value]: { any: [secret] }, [path]: name })),
    secretName.map((name) => ({ filter: `userName pr or ${name} eq "${secret}"` })),
    secretName.map((name) => ({ value: JSON.stringify({ [name]: secret }) })),
  ),
}));

function secretValue() {
  return fc.constantFrom<unknown>(secret, [secret], { a: { b: secret } }, `x${secret}y`);
}

const runs = Number(process.env.FUZZ_RUNS ?? 500);

it('a planted secret is never kept', () => {
  const bytesMax = fc.constantFrom(limits.recordedBodyBytesMax, 40, 100, 300);
  fc.assert(
    fc.property(planted, bytesMax, (value, max) => {
      expect(redactJson(value, max, []).text).not.toContain(secret);
    }),
    { numRuns: runs },
  );
  const query = fc.tuple(secretName, fc.nat(2), fc.constantFrom('eq', 'co', 'SW'));
  fc.assert(
    fc.property(planted, planted, query, (body, answer, [name, rounds, operator]) => {
      let filter = `userName eq "a" or ${name} ${operator} "${secret}"`;
      for (let round = 0; round <= rounds; round += 1) filter = encodeURIComponent(filter);
      const url = `/scim/v2/Users?${name}=${secret}&count=1&filter=${filter}`;
      const detail = `"${secret}" can't be read`;
      const record = recordOf(
        call({ url, body: { body }, bodyBytes: 9, status: 400, answer: { detail, answer } }),
      );
      expect(JSON.stringify(record)).not.toContain(secret);
    }),
    { numRuns: runs },
  );
});

it('what holds no secret is kept as it is', () => {
  const value = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(value, (json) => {
      const text = JSON.stringify(json);
      fc.pre(!holdsSecretWord(text) && !/path/i.test(text));
      fc.pre(text.length < 16_000);
      expect(kept(json)).toBe(text);
    }),
    { numRuns: runs },
  );
});
