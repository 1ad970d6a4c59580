/** The transmitter that receivers of signals talk to (Shared Signals Framework 1.0 §7, §8; RFC 8936). In a scope of its own. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { bearerToken } from '../kernel/token.ts';
import { eventsSupported } from './security-event.ts';
import {
  type Asker,
  createStream,
  pollStream,
  readStream,
  removeStream,
  reviseStream,
  setStreamStatus,
  verifyStream,
} from './stream-flow.ts';
import {
  pollMethod,
  pushMethod,
  readFields,
  readPoll,
  readStatus,
  readStreamDraft,
  readVerification,
} from './stream-request.ts';
import { findReceiver, type Receiver, type Stream } from './stream-store.ts';

declare module 'fastify' {
  interface FastifyRequest {
    signalReceiver: Receiver | null;
  }
}

const config = { auth: 'signal-receiver' } as const;

export function ssfMetadataRoutes(app: FastifyInstance, { publicUrl }: Services): void {
  const metadata = {
    spec_version: '1_0',
    issuer: publicUrl,
    jwks_uri: `${publicUrl}/oidc/jwks`,
    delivery_methods_supported: [pushMethod, pollMethod],
    configuration_endpoint: `${publicUrl}/ssf/stream`,
    status_endpoint: `${publicUrl}/ssf/status`,
    verification_endpoint: `${publicUrl}/ssf/verify`,
    // RFC 6750.
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    default_subjects: 'ALL',
  };
  app.get('/.well-known/ssf-configuration', { config: { auth: 'none' } }, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').send(metadata),
  );
}

export function ssfRoutes(scope: FastifyInstance, services: Services): void {
  installReceiverAuth(scope, services);
  streamRoutes(scope, services);
  statusRoutes(scope, services);
  pollRoute(scope, services);
}

function installReceiverAuth(scope: FastifyInstance, { database }: Services): void {
  const rate = new RateLimit(limits.signalRequestsPerSecond);
  scope.decorateRequest('signalReceiver', null);
  scope.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const token = bearerToken(request.headers.authorization);
    const receiver = token === undefined ? undefined : await findReceiver(database, token);
    if (receiver === undefined) {
      throw new Fault(
        'unauthenticated',
        'Send the token of a receiver of signals as "Authorization: Bearer <token>".',
      );
    }
    const retryAfterSeconds = rate.take(receiver.id, performance.now());
    if (retryAfterSeconds > 0) {
      throw new Fault('rate_limited', 'This receiver asks too often: wait, then go on.', {
        retryAfterSeconds,
      });
    }
    request.signalReceiver = receiver;
  });
}

interface StreamQuery {
  Querystring: { stream_id?: string | string[] };
}

function streamRoutes(scope: FastifyInstance, services: Services): void {
  const { publicUrl } = services;
  const path = '/ssf/stream';
  scope.post(path, { config }, async (request, reply) => {
    const asker = askerOf(request);
    const stream = await createStream(services, asker, readStreamDraft(bodyOf(request)));
    return reply.code(201).send(show(stream, asker, publicUrl));
  });
  scope.get<StreamQuery>(path, { config }, async (request, reply) => {
    const asker = askerOf(request);
    const { stream_id: id } = request.query;
    const stream = await readStream(services, asker);
    const shown = stream && show(stream, asker, publicUrl);
    if (id === undefined) return reply.send(shown === undefined ? [] : [shown]);
    if (shown?.stream_id !== id)
      throw new Fault('not_found', 'This receiver has no stream of that stream_id.');
    return reply.send(shown);
  });
  for (const method of ['PATCH', 'PUT'] as const) {
    scope.route({
      ...{ method, url: path, config },
      handler: async (request, reply) => {
        const [asker, body] = [askerOf(request), bodyOf(request)];
        const stream = await reviseStream(services, asker, String(body.stream_id), (before) =>
          readStreamDraft(body, method === 'PATCH' ? before : undefined),
        );
        return reply.send(show(stream, asker, publicUrl));
      },
    });
  }
  scope.delete<StreamQuery>(path, { config }, async (request, reply) => {
    await removeStream(services, askerOf(request), String(request.query.stream_id));
    return reply.code(204).send();
  });
}

function statusRoutes(scope: FastifyInstance, services: Services): void {
  scope.get<StreamQuery>('/ssf/status', { config }, async (request, reply) => {
    const stream = await readStream(services, askerOf(request));
    if (stream?.id !== request.query.stream_id || stream === undefined) {
      throw new Fault('not_found', 'This receiver has no stream of that stream_id.');
    }
    return reply.send(statusOf(stream));
  });
  scope.post('/ssf/status', { config }, async (request, reply) =>
    reply.send(statusOf(await setStreamStatus(services, askerOf(request), readStatus(request.body)))),
  );
  scope.post('/ssf/verify', { config }, async (request, reply) => {
    await verifyStream(services, askerOf(request), readVerification(request.body));
    return reply.code(204).send();
  });
}

function pollRoute(scope: FastifyInstance, services: Services): void {
  scope.post<{ Params: { streamId: string } }>('/ssf/poll/:streamId', { config }, async (request, reply) => {
    const asked = readPoll(request.body);
    return reply.send(await pollStream(services, askerOf(request), request.params.streamId, asked));
  });
}

function askerOf({ signalReceiver, id: requestId }: FastifyRequest): Asker {
  assert(signalReceiver !== null, 'the hook lets nobody else through');
  return { receiver: signalReceiver, requestId };
}

function bodyOf({ body }: FastifyRequest) {
  return readFields(body, 'the body');
}

function show(stream: Stream, { receiver }: Asker, publicUrl: string) {
  const { id, endpointUrl, events, description } = stream;
  return {
    stream_id: id,
    iss: publicUrl,
    aud: receiver.audience,
    events_supported: eventsSupported,
    events_requested: events,
    events_delivered: events,
    delivery:
      endpointUrl === null
        ? { method: pollMethod, endpoint_url: `${publicUrl}/ssf/poll/${id}` }
        : { method: pushMethod, endpoint_url: endpointUrl },
    ...(description === null ? {} : { description }),
  };
}

function statusOf({ id, status, statusReason }: Stream) {
  return { stream_id: id, status, ...(statusReason === null ? {} : { reason: statusReason }) };
}
