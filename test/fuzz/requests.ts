/** Makes request `n` of a seed: who calls, what, with which head and body, and what may be expected of the answer. */

import { bulkBody, groupBody, patchBody, searchBody, userBody } from './bodies.ts';
import { bent, written } from './breakage.ts';
import { Random } from './random.ts';
import { bulk, collection, described, nearMiss, search, single, type Target } from './targets.ts';
import { text } from './texts.ts';
import type { World } from './world.ts';

/** `own`: the fuzzed tenant; `other`: the one that only reads; `nobody`: must be refused; `unclear`: two at once. */
export type Caller = 'own' | 'other' | 'nobody' | 'unclear';

export interface FuzzRequest {
  n: number;
  method: string;
  target: Target;
  headers: [name: string, value: string][];
  body: Buffer | undefined;
  caller: Caller;
  /** `whole` is HTTP; the others break its rules, and may be answered by the server below the gateway, or not at all. */
  framing: 'whole' | 'chunked' | 'tooShort' | 'tooLong' | 'both' | 'noHost' | 'badLine';
}

type Shape = Pick<FuzzRequest, 'method' | 'target'> & { body?: unknown };

export function makeRequest(seed: number, n: number, world: World): FuzzRequest {
  const random = Random.of(seed, n);
  const { method, target, body } = shape(random, world);
  const value = body !== undefined && random.chance(0.3) ? bent(random, body) : body;
  const { caller, headers: authorization } = authority(random, world, method);
  const headers = [...authorization, ...oddHeaders(random)];
  if (body !== undefined && random.chance(0.99)) headers.push(['content-type', contentType(random)]);
  return {
    n,
    method,
    target,
    headers,
    body: body === undefined ? undefined : written(random, value),
    caller,
    framing: framing(random, body !== undefined),
  };
}

function shape(random: Random, world: World): Shape {
  const { Users, Groups } = { Users: world.pressure('Users'), Groups: world.pressure('Groups') };
  const names = world.names(random);
  const post = (kind: 'Users' | 'Groups'): Shape => ({
    method: 'POST',
    target: { path: `/scim/v2/${kind}`, route: `/${kind}`, kind },
    body: kind === 'Users' ? userBody(random, names) : groupBody(random, names),
  });
  const write = (method: string): Shape => {
    const target = single(random, world);
    const isGroup = target.kind === 'Groups';
    if (method === 'PATCH') return { method, target, body: patchBody(random, names, isGroup) };
    return { method, target, body: isGroup ? groupBody(random, names) : userBody(random, names) };
  };
  return random.weighted<Shape>([
    [22, () => ({ method: 'GET', target: collection(random, world, true) })],
    [12, () => ({ method: 'GET', target: single(random, world) })],
    [8 * Users.make, () => post('Users')],
    [3 * Groups.make, () => post('Groups')],
    [22, () => write('PATCH')],
    [7, () => write('PUT')],
    [4 * Users.remove, () => ({ method: 'DELETE', target: single(random, world, 'Users') })],
    [1 * Groups.remove, () => ({ method: 'DELETE', target: single(random, world, 'Groups') })],
    [2, () => ({ method: 'GET', target: described(random) })],
    [4, () => ({ method: 'POST', target: search(random), body: searchBody(random, names) })],
    [4, () => ({ method: 'POST', target: bulk, body: bulkBody(random, names) })],
    [8, () => ({ method: oddMethod(random), target: nearMiss(random, world) })],
    [
      2,
      () => ({
        method: oddMethod(random),
        target: single(random, world),
        body: random.pick([undefined, {}, names]),
      }),
    ],
  ]);
}

function oddMethod(random: Random): string {
  return random.weighted<string>([
    [10, () => 'GET'],
    [6, () => random.pick(['POST', 'PUT', 'PATCH', 'DELETE'])],
    [4, () => random.pick(['HEAD', 'OPTIONS'])],
    [1, () => random.pick(['TRACE', 'PROPFIND', 'QUERY', 'get', 'BREW', 'CONNECT', 'M-SEARCH'])],
  ]);
}

function authority(random: Random, { tokens }: World, method: string) {
  const bearer = (token: string): [string, string][] => [['authorization', `Bearer ${token}`]];
  const token = random.chance(0.85) ? (tokens.own[0] ?? '') : random.pick(tokens.own);
  type Authority = { caller: Caller; headers: [string, string][] };
  const nobody = (value: string): Authority => ({ caller: 'nobody', headers: [['authorization', value]] });
  const isReading = method === 'GET' || method === 'HEAD';
  return random.weighted<Authority>([
    [93, () => ({ caller: 'own', headers: bearer(token) })],
    [2, () => (isReading ? { caller: 'other', headers: bearer(tokens.other) } : nobody('Bearer x'))],
    [1, () => ({ caller: 'own', headers: [['Authorization', `bEARER   ${token}`]] })],
    [0.5, () => ({ caller: 'nobody', headers: [] })],
    [
      0.5,
      () =>
        nobody(random.pick([token, 'Bearer', 'Bearer ', `Basic ${btoa(`x:${token}`)}`, `Bearer ${token} x`])),
    ],
    [0.5, () => nobody(`Bearer ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)],
    [
      0.5,
      () =>
        nobody(
          `Bearer ${random.pick(['null', '\xff\xfe', 'x'.repeat(8000), "' or 1=1 --", 'eyJhbGciOiJub25lIn0.e30.'])}`,
        ),
    ],
    [0.3, () => ({ caller: 'unclear', headers: [...bearer(token), ...bearer(token)] })],
  ]);
}

function contentType(random: Random): string {
  return random.weighted<string>([
    [60, () => 'application/scim+json'],
    [20, () => 'application/json'],
    [15, () => 'application/scim+json; charset=utf-8'],
    [
      1,
      () =>
        random.pick([
          'Application/SCIM+JSON;charset="UTF-8"',
          'application/json; charset=iso-8859-1',
          'application/scim+json;;;',
        ]),
    ],
    [
      1,
      () =>
        random.pick([
          'text/plain',
          'multipart/form-data',
          'application/xml',
          '',
          '/',
          'x',
          'application/scim+json, text/html',
        ]),
    ],
  ]);
}

function oddHeaders(random: Random): [string, string][] {
  if (random.chance(0.75)) return [];
  const choices: [string, readonly string[]][] = [
    [
      'accept',
      [
        'application/scim+json',
        '*/*',
        'text/html',
        'application/json;q=0',
        ';;;',
        'application/scim+json; charset=utf-8',
      ],
    ],
    [
      'if-match',
      ['*', 'W/"1"', '"1"', 'W/"2", W/"3"', '1', '', 'W/""', '"', 'W/"99999999999999999999"', '"\xe9"'],
    ],
    ['if-none-match', ['*', 'W/"1"', '"1"', 'W/"2", W/"3"', '', 'x', ', , ']],
    ['expect', ['100-continue']],
    ['prefer', ['return=minimal', 'x']],
    ['accept-encoding', ['gzip', 'br;q=1', 'x', 'identity;q=0']],
    ['x-request-id', ['mine', text(random).replace(/[^\x21-\x7e]/g, '')]],
    ['x-forwarded-for', ['1.2.3.4', '::1, x', "';--"]],
    ['x-forwarded-host', ['evil.example']],
    ['x-http-method-override', ['DELETE']],
    ['content-encoding', ['gzip', 'identity']],
    ['origin', ['https://evil.example']],
    ['range', ['bytes=0-1']],
    ['upgrade', ['h2c']],
    ['cookie', ['a=b; c']],
  ];
  return random.list(1, 3, () => {
    const [name, values] = random.pick(choices);
    return [name, random.pick(values)];
  });
}

function framing(random: Random, hasBody: boolean): FuzzRequest['framing'] {
  if (random.chance(0.98)) return 'whole';
  if (!hasBody) return random.pick(['whole', 'whole', 'whole', 'noHost', 'badLine']);
  return random.weighted<FuzzRequest['framing']>([
    [10, () => 'chunked'],
    [1, () => random.pick(['tooShort', 'tooLong', 'both', 'noHost', 'badLine'])],
  ]);
}
