/**
 * No route can be forgotten: each of the real application says who may call it, and each that is not open to anybody
 * answers a stranger 401, in the form of its surface, before it looks at anything else in the request.
 */

import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthRule, requireAuthRules } from '../src/http/auth-rule.ts';
import { newToken } from '../src/kernel/token.ts';
import { idleApp } from './support/idle-app.ts';

let app: FastifyInstance;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ app, close } = await idleApp());
});
afterAll(() => close());

interface RouteRule {
  method: string;
  url: string;
  auth: AuthRule | undefined;
}

const everyRule = (): RouteRule[] =>
  app.routeList.flatMap(({ method, url, config }) =>
    [method].flat().map((one) => ({ method: one, url, auth: config?.auth })),
  );
const guarded = () => everyRule().filter(({ auth }) => auth !== 'none');

/** A path of that pattern. */
function pathOf({ url }: RouteRule): string {
  return url.replaceAll('*', 'x').replaceAll(/:\w+(\([^)]*\))?/g, '00000000-0000-7000-8000-00000000000a');
}

async function call(rule: RouteRule, authorization: string | undefined, payload?: string) {
  const answer = await app.inject({
    method: rule.method as 'GET',
    url: pathOf(rule),
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(payload === undefined ? {} : { 'content-type': 'text/plain' }),
    },
    ...(payload === undefined ? {} : { payload }),
  });
  return { rule, answer };
}

/** What is wrong with an answer that must be "who are you?". */
function problemsOf({ rule, answer }: Awaited<ReturnType<typeof call>>): string[] {
  const problems: string[] = [];
  const say = (problem: string) => problems.push(`${rule.method} ${rule.url}: ${problem}`);
  if (answer.statusCode !== 401) say(`answers ${answer.statusCode}`);
  if (answer.headers['www-authenticate'] === undefined) say('names no scheme in WWW-Authenticate');
  if (answer.headers['x-request-id'] === undefined) say('has no x-request-id');
  if (rule.method === 'HEAD') return problems;
  const type = String(answer.headers['content-type']).split(';')[0];
  if (rule.url.startsWith('/scim/')) {
    if (type !== 'application/scim+json') say(`is of type ${type}`);
    const body = answer.json();
    if (body.status !== '401' || body.schemas?.[0] !== 'urn:ietf:params:scim:api:messages:2.0:Error')
      say(`has no SCIM error in its body: ${answer.body}`);
  }
  if (rule.url.startsWith('/api/')) {
    if (type !== 'application/problem+json') say(`is of type ${type}`);
    const body = answer.json();
    if (body.code !== 'unauthenticated' || body.status !== 401)
      say(`has no problem in its body: ${answer.body}`);
  }
  return problems;
}

async function problemsOfAll(authorization: string | undefined, payload?: string): Promise<string[]> {
  const found: string[] = [];
  for (const rule of guarded()) found.push(...problemsOf(await call(rule, authorization, payload)));
  return found;
}

describe('every route', () => {
  it('is known, and says who may call it', () => {
    const named = everyRule().map(({ method, url }) => `${method} ${url}`);
    expect(named).toEqual(
      expect.arrayContaining(['GET /healthz', 'PATCH /scim/v2/Users/:id', 'POST /scim/v2/Groups']),
    );
    for (const { method, url } of everyRule()) {
      expect(app.hasRoute({ method: method as 'GET', url }), `${method} ${url}`).toBe(true);
    }
    // Fastify's own list has as many leaves as ours: none was added behind the guard's back.
    const printed = app.printRoutes({ commonPrefix: false }).match(/\(([A-Z, ]+)\)$/gm) ?? [];
    const leaves = printed.flatMap((methods) => methods.slice(1, -1).split(', '));
    expect(leaves).toHaveLength(new Set(named).size);
  });

  it('is guarded unless it is one of these', () => {
    const open = everyRule().filter(({ auth, method }) => auth === 'none' && method !== 'HEAD');
    const allowed =
      /^\/(healthz|readyz|metrics|docs(\/.*)?|api\/v1\/openapi\.json|oauth\/(token|global-token-revocation\/:connectionId)|sso(\/(login|blue|switch|test\/:token|logout|logged-out|session|saml\/:connectionId\/(metadata|login|acs|slo)|oidc\/:connectionId\/(login|callback|jwks|backchannel-logout)))?|\.well-known\/(oauth-authorization-server(\/oidc)?|ssf-configuration)|oidc\/(\*|interaction\/:uid(\/:connectionId)?))$/;
    expect(open.map(({ url }) => url).filter((url) => !allowed.test(url))).toEqual([]);
  });

  it('has a rule of its own surface', () => {
    const wrong = guarded().filter(({ url, auth }) => url.startsWith('/scim/') !== (auth === 'directory'));
    expect(wrong).toEqual([]);
  });

  it('answers a stranger 401', async () => {
    expect(guarded().length).toBeGreaterThan(20);
    expect(await problemsOfAll(undefined)).toEqual([]);
  });

  it.each([
    ['no token', 'Bearer'],
    ['another scheme', `Basic ${Buffer.from('a:b').toString('base64')}`],
    ['a token nobody has', `Bearer ${newToken('directory')}`],
    ['a key nobody has', `Bearer ${newToken('key')}`],
  ])('answers %s 401', async (_what, authorization) => {
    expect(await problemsOfAll(authorization)).toEqual([]);
  });

  it('asks who it is before it reads the body', async () => {
    const writing = guarded().filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));
    const found: string[] = [];
    for (const rule of writing) found.push(...problemsOf(await call(rule, undefined, 'no JSON')));
    expect(found).toEqual([]);
  });
});

it('refuses, at start, a route without a rule', async () => {
  const { default: Fastify } = await import('fastify');
  const bare = Fastify();
  requireAuthRules(bare);
  bare.get('/x', async () => 'x');
  await expect(bare.ready()).rejects.toThrow('GET /x states no auth rule');
});
