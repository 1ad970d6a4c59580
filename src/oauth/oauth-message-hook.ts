/** The form of the token endpoint: a form comes in, refusals go out in OAuth's words (RFC 6749 §5.1, §5.2), nothing is cached. */

import type { FastifyInstance, FastifyReply } from 'fastify';
import { faultOf } from '../http/error-fault.ts';
import type { Fault, FaultCode } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { type OAuthError, OAuthRefusal } from './refusal.ts';
import { readForm } from './token-request.ts';

const statusOf: Record<OAuthError, number> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_scope: 400,
  unsupported_grant_type: 400,
  temporarily_unavailable: 503,
};

export function installOAuthMessages(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: limits.tokenRequestBytesMax },
    async (_request: unknown, body: string) => readForm(body),
  );
  scope.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof OAuthRefusal) {
      if (error.cause !== undefined) request.log.warn({ err: error.cause }, 'a client could not be checked');
      return send(reply, statusOf[error.error], error.error, error.message, error.retryAfterSeconds);
    }
    const fault = faultOf(error);
    if (fault !== undefined) return sendFault(reply, fault);
    request.log.error({ err: error }, 'request failed');
    return send(reply, 500, 'server_error', `Something went wrong here. Reference ${request.id}.`);
  });
}

const answers: Partial<Record<FaultCode, [number, string]>> = {
  too_large: [413, 'invalid_request'],
  rate_limited: [429, 'temporarily_unavailable'],
  unavailable: [503, 'temporarily_unavailable'],
};

function sendFault(reply: FastifyReply, { code, message, retryAfterSeconds }: Fault) {
  const [status, error] = answers[code] ?? [400, 'invalid_request'];
  // The messages of faults speak of JSON, which is not what is read here.
  const text =
    answers[code] === undefined ? 'Send the parameters as application/x-www-form-urlencoded.' : message;
  return send(reply, status, error, text, retryAfterSeconds);
}

function send(reply: FastifyReply, status: number, error: string, text: string, retryAfterSeconds?: number) {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  if (status === 401) reply.header('www-authenticate', 'Basic realm="Blue Gateway"');
  return reply.code(status).send({ error, error_description: printable(text) });
}

/** What RFC 6749 §5.2 lets stand in a description. */
function printable(text: string): string {
  return text.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
}
