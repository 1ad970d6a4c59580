/** Where oidc-provider answers: everything below the issuer but the interactions. It writes to the connection itself. */

import fastifyCookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { faultOf, statusOf } from '../../http/error-fault.ts';
import { RateLimit } from '../../http/rate-limit.ts';
import type { Services } from '../../http/services.ts';
import { Fault } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';
import { networkOf } from '../../outbound/public-address.ts';
import { stylePolicy } from '../sso-scope-hook.ts';
import { issuerPath } from './issuer.ts';
import { type CurrentProvider, knowBrowser } from './provider-hook.ts';

/** Forms of these pages lead to applications, and the library adds the hashes of its own scripts. */
const policy = [
  ...["default-src 'none'", stylePolicy, "script-src 'none'"],
  ...["frame-ancestors 'none'", "base-uri 'none'"],
].join(';');

/** In a scope of its own. */
export async function openIdRoutes(
  scope: FastifyInstance,
  services: Services,
  current: CurrentProvider,
): Promise<void> {
  await scope.register(fastifyCookie);
  installOpenIdScope(scope);
  const { protocol, host } = new URL(services.publicUrl);
  /** @param path Below the issuer, with its query. */
  const answer = async (request: FastifyRequest, reply: FastifyReply, path: string) => {
    const [provider] = await Promise.all([current.get(), knowBrowser(request, services)]);
    const { raw } = request;
    // What it tells of its own addresses must not depend on what a request says of them.
    delete raw.headers['x-forwarded-host'];
    raw.headers.host = host;
    raw.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    Object.assign(raw, { originalUrl: issuerPath + path, url: path });
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    await provider.callback()(raw, reply.raw);
  };
  const config = { auth: 'none' } as const;
  scope.route({
    method: ['GET', 'POST'],
    url: `${issuerPath}/*`,
    config,
    bodyLimit: limits.openIdRequestBytesMax,
    handler: (request, reply) => answer(request, reply, (request.raw.url ?? '').slice(issuerPath.length)),
  });
  // RFC 8414 §3.1 puts the well-known part before an issuer's path.
  const metadata = '/.well-known/oauth-authorization-server';
  scope.get(`${metadata}${issuerPath}`, { config }, (request, reply) => answer(request, reply, metadata));
}

function installOpenIdScope(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  // The provider reads bodies itself.
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const perAddress = new RateLimit(limits.openIdRequestsPerSecondAndAddress);
  scope.addHook('onRequest', async ({ ip }, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    const retryAfterSeconds = perAddress.take(networkOf(ip), performance.now());
    if (retryAfterSeconds > 0) {
      throw new Fault('rate_limited', 'Too many requests from this address.', { retryAfterSeconds });
    }
  });
  scope.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error);
    if (fault === undefined) request.log.error({ err: error }, 'request failed');
    if (fault?.retryAfterSeconds !== undefined) reply.header('retry-after', String(fault.retryAfterSeconds));
    const isTemporary = fault?.code === 'rate_limited' || fault?.code === 'unavailable';
    return reply
      .code(fault === undefined ? 500 : statusOf[fault.code])
      .header('cache-control', 'no-store')
      .send({
        error:
          fault === undefined ? 'server_error' : isTemporary ? 'temporarily_unavailable' : 'invalid_request',
        error_description: fault?.message ?? 'Something failed here: the request id leads to it.',
      });
  });
}
