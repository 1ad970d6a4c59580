/** What holds for every page of signing in: forms as bodies, cookies, headers that keep the page to itself, one page for errors. */

import { createHash } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { faultOf, statusOf } from '../http/error-fault.ts';
import { RateLimit } from '../http/rate-limit.ts';
import { unreachable } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { networkOf } from '../outbound/public-address.ts';
import type { Transfer } from './core/binding.ts';
import { postingPage, refusalPage, submitScript } from './core/page.ts';
import { style } from './core/style.ts';
import { languageOf } from './core/words.ts';
import { signInPlaceOf } from './session-hook.ts';

export const stylePolicy = `style-src ${hashSource(style)}`;

/** Without `form-action`, which browsers hold against redirects, too: what leads to an identity provider. */
const leadingOnPolicy = [
  ...["default-src 'none'", stylePolicy, "frame-ancestors 'none'"],
  "base-uri 'none'",
].join('; ');
const policy = `${leadingOnPolicy}; form-action 'self'`;
const postingPolicy = `${leadingOnPolicy}; script-src ${hashSource(submitScript)}`;

/** CSP 3 §2.3.1: this one text. */
function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

export async function installSsoScope(scope: FastifyInstance, publicUrl: string): Promise<void> {
  await scope.register(fastifyCookie);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: limits.samlBytesMax * 2 },
    async (_request: unknown, body: string) => new URLSearchParams(body),
  );
  const perAddress = new RateLimit(limits.loginsPerSecondAndAddress);
  scope.addHook('onRequest', async ({ ip }, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    const retryAfterSeconds = perAddress.take(networkOf(ip), performance.now());
    if (retryAfterSeconds > 0) {
      throw new Fault('rate_limited', 'Too many logins from this address.', { retryAfterSeconds });
    }
  });
  scope.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error);
    if (fault === undefined) request.log.error({ err: error }, 'request failed');
    if (fault?.retryAfterSeconds !== undefined) reply.header('retry-after', String(fault.retryAfterSeconds));
    reply.code(fault === undefined ? 500 : statusOf[fault.code]);
    // What is not there is no place to begin again.
    const place = fault?.code === 'not_found' ? undefined : signInPlaceOf(request, publicUrl);
    return sendPage(reply, refusalPage(languageOfRequest(request), { reference: request.id, place }));
  });
}

export function languageOfRequest({ headers }: FastifyRequest): ReturnType<typeof languageOf> {
  return languageOf(headers['accept-language']);
}

export function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').header('vary', 'accept-language').send(html);
}

/** A page whose form goes to an identity provider in the end. */
export function sendLeadingOn(reply: FastifyReply, html: string): FastifyReply {
  return sendPage(reply.header('content-security-policy', leadingOnPolicy), html);
}

/** A page whose form its script, the one that any page has, posts to an identity provider. */
export function sendPosting(reply: FastifyReply, html: string): FastifyReply {
  return sendPage(reply.header('content-security-policy', postingPolicy), html);
}

/** Sends the browser on with a message (SAML 2.0 Bindings §3.4.6, §3.5.6). */
export function sendOn(reply: FastifyReply, transfer: Transfer): FastifyReply {
  switch (transfer.binding) {
    case 'redirect':
      return reply.redirect(transfer.url, 303);
    case 'post':
      return sendPosting(reply, postingPage(languageOfRequest(reply.request), transfer));
    default:
      return unreachable(transfer);
  }
}
