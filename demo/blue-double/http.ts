/** HTTP in front of the double: headers, rate, ordered transport faults, one answer; GraphQL itself is in execute.ts. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { GraphQLError } from 'graphql';
import { openCall, secretHeaders } from './call.ts';
import { BlueError } from './errors.ts';
import { prepare, run } from './execute.ts';
import type { Faults, TransportFault } from './faults.ts';
import type { RateAnswer, RateWindow } from './rate.ts';
import type { World } from './world.ts';

export interface LoggedRequest {
  readonly at: Date;
  /** Names of the root fields in order; empty when the document did not validate. */
  readonly operations: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
  /** As received, the values of secret headers left out. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Desk {
  readonly world: World;
  readonly faults: Faults;
  readonly rate: RateWindow;
  readonly log: LoggedRequest[];
  /** Blue doesn't document the status of an UNAUTHENTICATED answer: tests choose. */
  unauthenticatedStatus: 200 | 401;
}

interface Body {
  query: string;
  variables?: Record<string, unknown>;
}

function readBody(raw: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    const isBody = typeof value === 'object' && value !== null && 'query' in value;
    return isBody && typeof value.query === 'string' ? (value as Body) : undefined;
  } catch {
    return undefined;
  }
}

export async function answer(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') return standInFor(request.url ?? '/', response);
  if (request.method !== 'POST' || request.url !== '/graphql') {
    response.writeHead(404).end();
    return;
  }
  const body = readBody(await text(request));
  const prepared = body === undefined ? { errors: [new GraphQLError('No query.')] } : prepare(body.query);
  const operations = 'errors' in prepared ? [] : prepared.fields;
  desk.log.push(logged(desk, request, operations, body?.variables ?? {}));

  const fault = desk.faults.takeTransport(operations);
  if (fault !== undefined && answeredByFault(desk, fault, response)) return;
  try {
    const call = openCall(desk.world, request.headers);
    const layers = { key: call.token.uid, user: call.caller.id, organization: desk.world.organization.id };
    const rate = desk.rate.admit(layers, desk.world.now().getTime());
    if (!rate.allowed) return tooMany(response, rate, desk.world.now());
    if ('errors' in prepared) return send(response, 400, { errors: prepared.errors }, rateHeaders(rate));
    const result = await run(prepared, body?.variables, call, desk.faults);
    if (fault?.kind === 'lost_answer') return;
    send(
      response,
      200,
      fault?.kind === 'partial' ? withError(result, fault, operations) : result,
      rateHeaders(rate),
    );
  } catch (error) {
    if (!(error instanceof BlueError)) throw error;
    const status = error.extensions.code === 'UNAUTHENTICATED' ? desk.unauthenticatedStatus : 200;
    send(response, status, { errors: [error], data: null });
  }
}

/** Where links into Blue's application lead. */
function standInFor(path: string, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`This stands in for Blue. There, this is the page ${path}`);
}

function withError(
  result: object,
  fault: Extract<TransportFault, { kind: 'partial' }>,
  operations: readonly string[],
): object {
  const { code } = fault;
  return {
    ...result,
    errors: [{ message: 'Partly failed', path: [operations[0], 'items'], extensions: { code } }],
  };
}

/** True when the fault leaves nothing more to do for the request. */
function answeredByFault(desk: Desk, fault: TransportFault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case 'tier': {
      const resetAtMs = desk.world.now().getTime() + fault.retryAfterSeconds * 1000;
      tooMany(response, { allowed: false, limit: 200, remaining: 0, resetAtMs }, desk.world.now());
      return true;
    }
    case 'hang':
      return true;
    case 'html':
      response.writeHead(fault.status, { 'content-type': 'text/html' });
      response.end('<html><body><h1>Bad gateway</h1></body></html>');
      return true;
    case 'lost_answer':
    case 'partial':
      return false;
  }
}

function rateHeaders(rate: RateAnswer): Record<string, string> {
  return { 'x-ratelimit-limit': String(rate.limit), 'x-ratelimit-remaining': String(rate.remaining) };
}

/** Plain JSON, not GraphQL (API docs, rate-limits). */
function tooMany(response: ServerResponse, rate: RateAnswer, now: Date): void {
  const retryAfter = Math.max(1, Math.ceil((rate.resetAtMs - now.getTime()) / 1000));
  const headers = {
    ...rateHeaders(rate),
    'x-ratelimit-reset': String(Math.ceil(rate.resetAtMs / 1000)),
    'retry-after': String(retryAfter),
  };
  send(response, 429, { error: 'RATE_LIMITED', message: 'Too many requests.', retryAfter }, headers);
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

function logged(
  desk: Desk,
  request: IncomingMessage,
  operations: readonly string[],
  variables: Record<string, unknown>,
): LoggedRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      secretHeaders.has(name) ? '[left out]' : String(value),
    ]),
  );
  return { at: desk.world.now(), operations, variables, headers };
}
