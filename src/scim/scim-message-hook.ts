/** The form of everything under `/scim/v2`: bodies in, media type and errors out (RFC 7644 §3.1, §3.12). */

import type { FastifyInstance, FastifyReply } from 'fastify';
import { faultOf, statusOf } from '../http/error-fault.ts';
import { Fault } from '../kernel/fault.ts';
import type { JsonObject } from '../kernel/json.ts';
import { scimError } from './core/messages.ts';

export const mediaType = 'application/scim+json; charset=utf-8';

export function installScimMessages(scope: FastifyInstance): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>(
    ['application/scim+json', 'application/json'],
    { parseAs: 'string' },
    (request, body, done) => (body === '' ? done(null, undefined) : parseJson(request, body, done)),
  );
  scope.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error);
    if (fault === undefined) request.log.error({ err: error }, 'request failed');
    return sendFault(reply, fault, request.id);
  });
  scope.setNotFoundHandler((request, reply) =>
    sendFault(reply, new Fault('not_found', `There is nothing at ${request.url.split('?')[0]}.`), request.id),
  );
}

/** @param fault undefined: a mistake of ours. */
export function sendFault(reply: FastifyReply, fault: Fault | undefined, requestId: string) {
  const { status, body } = describeFault(fault, requestId);
  if (fault?.retryAfterSeconds !== undefined) reply.header('retry-after', String(fault.retryAfterSeconds));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return sendScim(reply, status, body);
}

/** RFC 7644 §3.12. @param fault undefined: a mistake of ours. */
export function describeFault(
  fault: Fault | undefined,
  requestId: string,
): { status: number; body: JsonObject } {
  if (fault === undefined) {
    const detail = `Something went wrong here. Reference ${requestId}.`;
    return { status: 500, body: scimError({ status: 500, detail }) };
  }
  const status = statusOf[fault.code];
  const scimType = status === 400 || status === 409 ? fault.scimType : undefined;
  return { status, body: scimError({ status, scimType, detail: fault.message }) };
}

export function sendScim(reply: FastifyReply, status: number, body: JsonObject) {
  return reply.code(status).header('content-type', mediaType).send(body);
}
