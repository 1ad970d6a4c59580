import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Conversation, playConversation, type Step } from '../../demo/conversation.ts';
import { differences, type Found, type Json } from '../../demo/matcher.ts';
import { fill, fillPath, pick, UnknownName } from '../../demo/placeholders.ts';

describe('what matches', () => {
  const good: [string, Json, Found][] = [
    ['a subset of an object', { a: 1 }, { a: 1, b: 2 }],
    ['an array element by element', [{ a: 1 }], [{ a: 1, b: 2 }]],
    ['null as null', { a: null }, { a: null }],
    ['$ref as an attribute', { $ref: 'x' }, { $ref: 'x' }],
    ['$absent', { a: { $absent: true } }, {}],
    ['$absent: false', { a: { $absent: false } }, { a: 0 }],
    ['$absent of a whole body', { $absent: true }, undefined],
    ['$unassigned null', { a: { $unassigned: true } }, { a: null }],
    ['$unassigned empty text', { a: { $unassigned: true } }, { a: '' }],
    ['$unassigned empty list', { a: { $unassigned: true } }, { a: [] }],
    ['$string', { $string: true }, 'x'],
    ['$number', { $number: true }, 0],
    ['$boolean', { $boolean: true }, false],
    ['$length', { $length: 2 }, [1, 2]],
    ['$atLeast', { $atLeast: 2 }, 2],
    ['$anyOf', { $anyOf: ['a', { $number: true }] }, 5],
    ['$contains in a list', { $contains: { a: 1 } }, [{ b: 1 }, { a: 1, b: 2 }]],
    ['$contains of several', { $contains: [1, 3] }, [3, 2, 1]],
    ['$contains in text', { $contains: 'scim+json' }, 'application/scim+json; charset=utf-8'],
    [
      '$only in any order',
      { $only: [{ value: 'b' }, { value: 'a' }] },
      [{ value: 'a', type: 'User' }, { value: 'b' }],
    ],
    ['$exact in any key order', { $exact: { a: 1, b: [2] } }, { b: [2], a: 1 }],
    ['$not', { $not: { $contains: 1 } }, [2]],
    ['$noNulls', { $noNulls: true }, { a: [{ b: '' }] }],
    ['two tests together', { $length: 1, $contains: 1 }, [1]],
    ['a test beside attributes', { $noNulls: true, a: 1 }, { a: 1 }],
  ];
  it.each(good)('%s', (_, expected, found) => {
    expect(differences(expected, found)).toEqual([]);
  });

  const bad: [string, Json, Found, string][] = [
    ['another value', { a: 1 }, { a: 2 }, 'body.a: expected 1, got 2'],
    ['text for a number', { a: 1 }, { a: '1' }, 'body.a: expected 1, got "1"'],
    ['nothing', { a: { b: 1 } }, {}, 'body.a: expected {"b":1}, got nothing'],
    ['null for absent', { a: { $absent: true } }, { a: null }, 'body.a: expected nothing there, got null'],
    ['a longer array', [1], [1, 2], 'body: expected [1], got [1,2]'],
    ['an element', [{ a: 1 }], [{ a: 2 }], 'body[0].a: expected 1, got 2'],
    ['a URN key', { 'urn:x:2.0': 1 }, {}, 'body["urn:x:2.0"]: expected 1, got nothing'],
    ['empty text', { $string: true }, '', 'body: expected a non-empty string, got ""'],
    ['a missing element', { $contains: [1, 2] }, [1], 'body: expected an element like 2, got [1]'],
    ['one too few', { $only: [1, 2] }, [1], 'body: expected an element like 2, it is not in the list'],
    ['one too many', { $only: [1] }, [1, 3], 'body: expected no other element, got 3 as well'],
    ['the same one twice', { $only: [1] }, [1, 1], 'body: expected no other element, got 1 as well'],
    [
      'an extra key for $exact',
      { $exact: { a: 1 } },
      { a: 1, b: 2 },
      'body: expected exactly {"a":1}, got {"a":1,"b":2}',
    ],
    ['what $not names', { $not: 1 }, 1, 'body: expected anything but 1, got 1'],
    [
      'a deep null',
      { $noNulls: true },
      { a: [null] },
      'body: expected no null anywhere inside, got {"a":[null]}',
    ],
    ['attributes beside a test', { $noNulls: true, a: 1 }, { a: 2 }, 'body.a: expected 1, got 2'],
  ];
  it.each(bad)('not %s', (_, expected, found, sentence) => {
    expect(differences(expected, found)).toEqual([sentence]);
  });

  it('refuses a misspelt test instead of passing it', () => {
    expect(() => differences({ $lenght: 1 }, [])).toThrow('there is no matcher $lenght');
  });
});

describe('placeholders', () => {
  const variables = { id: 'a b', ids: ['x', 'y', 'z'], n: 2 };

  it('keep the type of a whole value and interpolate the rest', () => {
    expect(fill({ a: '{{ids}}', b: 'no {{n}}', c: '{{n}}' }, variables)).toEqual({
      a: ['x', 'y', 'z'],
      b: 'no 2',
      c: 2,
    });
  });

  it('generate lists', () => {
    const each = { $each: { from: 'ids', count: 2, value: { value: '{{item}}', n: '{{n}}' } } };
    expect(fill(each, variables)).toEqual([
      { value: 'x', n: 2 },
      { value: 'y', n: 2 },
    ]);
    expect(() => fill({ $each: { from: 'ids', count: 4 } }, variables)).toThrow('has 3 items');
  });

  it('escape values in paths, and leave what is escaped', () => {
    expect(fillPath('/Users/{{id}}?filter=a eq "b"&x=%20+', variables)).toBe(
      '/Users/a%20b?filter=a%20eq%20%22b%22&x=%20+',
    );
  });

  it('name the hole that nothing fills', () => {
    expect(() => fill('{{nobody}}', variables)).toThrow(UnknownName);
  });

  it('pick values out of a body', () => {
    const body = { Resources: [{ id: 1 }, { id: 2 }, {}], 'urn:x:2.0': { seat: 's' } };
    expect(pick(body, 'Resources[1].id')).toBe(2);
    expect(pick(body, 'Resources[*].id')).toEqual([1, 2]);
    expect(pick(body, '["urn:x:2.0"].seat')).toBe('s');
    expect(pick(body, 'Resources[9].id')).toBeUndefined();
  });
});

describe('the player', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** A server that answers with `answer(request, body)` and tells what it got. */
  async function serve(answer: (request: IncomingMessage, body: string) => [number, Json?]): Promise<string> {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const [status, json] = answer(request, body);
      response.writeHead(status, { 'content-type': 'application/scim+json' });
      response.end(json === undefined ? '' : JSON.stringify(json));
    });
    await new Promise<void>((ready) => server?.listen(0, '127.0.0.1', ready));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`;
  }
  const told = (steps: Step[], headers = {}): Conversation => {
    return { case: 'X-1', title: 'x', source: 'x', grade: 'I', why: 'x', headers, steps };
  };

  it('sends the path and the headers as written', async () => {
    let seen: IncomingMessage | undefined;
    const baseUrl = await serve((request) => {
      seen = request;
      return [204];
    });
    const conversation = told(
      [
        {
          request: { method: 'DELETE', path: '/Users/1?', headers: { accept: null } },
          expect: { status: 204 },
        },
      ],
      { 'User-Agent': '', Accept: 'x/y' },
    );
    const [result] = await playConversation(conversation, { baseUrl, token: 'secret' });
    expect(result?.mismatches).toEqual([]);
    expect(seen?.url).toBe('/scim/v2/Users/1?');
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer secret', 'user-agent': '' });
    expect(seen?.headers.accept).toBeUndefined();
  });

  it('saves, repeats and fills later requests', async () => {
    const bodies: Json[] = [];
    const baseUrl = await serve((_, body) => {
      bodies.push(JSON.parse(body));
      return [201, { id: `id-${JSON.parse(body).n}` }];
    });
    const post = (body: Json): Step['request'] => ({ method: 'POST', path: '/Users', body });
    const conversation = told([
      {
        note: 'a few',
        repeat: 20,
        request: post({ n: '{{n}}' }),
        expect: { status: 201 },
        save: { ids: 'id' },
      },
      {
        request: post({ all: '{{ids}}', who: '{{who}}' }),
        expect: { status: 201, body: { id: 'id-undefined' } },
      },
    ]);
    const notes: (string | undefined)[] = [];
    const onStep = (step: { note: string | undefined; times: number }) =>
      void notes.push(`${step.note} ${step.times}`);
    const results = await playConversation(conversation, {
      baseUrl,
      token: 't',
      onStep,
      variables: { who: 'me' },
    });
    expect(results.flatMap((result) => result.mismatches)).toEqual([]);
    const ids = Array.from({ length: 20 }, (_, index) => `id-${index + 1}`);
    expect(bodies.at(-1)).toEqual({ all: ids, who: 'me' });
    expect(notes).toEqual(['a few 20', 'undefined 1']);
  });

  it('tells in sentences what is wrong, and leaves out a step that lacks a value', async () => {
    const baseUrl = await serve(() => [400, { schemas: [], status: 400 }]);
    const conversation = told([
      {
        request: { method: 'GET', path: '/Users' },
        expect: { status: [200, 204], withinMs: 10_000 },
        save: { id: 'id' },
      },
      { request: { method: 'GET', path: '/Users/{{id}}' }, expect: { status: 200 } },
    ]);
    const [first, second] = await playConversation(conversation, { baseUrl, token: 't' });
    expect(first?.mismatches).toEqual([
      'status: expected 200 or 204, got 400',
      expect.stringContaining('body.schemas: expected an element like'),
      'body.status: expected "400", got 400',
      'body.detail: expected a non-empty string, got nothing',
      'save: the answer has no id to keep as id',
    ]);
    expect(second?.request).toBeUndefined();
    expect(second?.mismatches).toEqual([expect.stringContaining('{{id}} has no value')]);
  });

  it('counts a list after it', async () => {
    const urn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
    const baseUrl = await serve(() => [
      200,
      { schemas: [urn], totalResults: '1', startIndex: 1, itemsPerPage: 20 },
    ]);
    const conversation = told([{ request: { method: 'GET', path: '/Users' }, expect: { status: 200 } }]);
    const [result] = await playConversation(conversation, { baseUrl, token: 't' });
    expect(result?.mismatches).toEqual([
      'body.totalResults: expected at least 0, got "1"',
      'body.itemsPerPage: expected 0, got 20',
    ]);
  });
});
