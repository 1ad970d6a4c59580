/**
 * Sees each call of an identity provider that has shown its token, and hands it to the recorder once it is over:
 * answered, refused, or left by a client that hung up. Strangers leave nothing.
 */

import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter, type Registry, type RegistryContentType } from 'prom-client';
import type { Services } from '../http/services.ts';
import { type DirectoryId, newId, parseId, type TenantId } from '../kernel/ids.ts';
import { isObject } from '../kernel/json.ts';
import { type Call, type RecordedRequest, recordOf } from './recorded-request.ts';
import { Recorder } from './recorder-task.ts';

/** Whose call it is. */
interface Caller {
  tenantId: TenantId;
  directoryId: DirectoryId;
  tokenId: string;
}

interface Answer {
  /** Before it became text. */
  value?: unknown;
  isStreamed: boolean;
}

export interface RecorderDeps {
  log: FastifyBaseLogger;
  metrics: Registry<RegistryContentType>;
  /** undefined: nobody has been recognised. */
  callerOf: (request: FastifyRequest) => Caller | null | undefined;
}

/** Characters of an answer that is recorded before it is read. */
const largeLength = 64 * 1024;

export function installRecorder(scope: FastifyInstance, services: Services, deps: RecorderDeps): void {
  const dropped = new Counter({
    name: 'recorder_dropped_total',
    help: 'Calls of identity providers that were answered and could not be recorded.',
    registers: [deps.metrics],
  });
  const { background: database, clock } = services;
  const recorder = new Recorder({ database, log: deps.log, onDropped: (count) => dropped.inc(count) });
  const values = new WeakMap<FastifyRequest, unknown>();
  const seen = new WeakSet<FastifyRequest>();

  scope.addHook('preSerialization', (request, _reply, payload, done) => {
    values.set(request, payload);
    done(null, payload);
  });
  scope.addHook('onSend', (request, reply, payload, done) => {
    const caller = deps.callerOf(request);
    const isOver = caller === null || caller === undefined || seen.has(request);
    if (!isOver) {
      seen.add(request);
      const value = values.get(request);
      values.delete(request);
      const answer = { value, isStreamed: isObject(payload) && 'pipe' in payload };
      const make = () => recordOf(callOf(caller, request, reply, answer, clock.now()));
      const isLarge = typeof payload === 'string' && payload.length > largeLength;
      const record = whenOver(recorder, reply, isLarge, make);
      // Who hung up while the call was worked on is answered in vain.
      if (reply.raw.closed || reply.raw.destroyed) record();
      else reply.raw.once('close', record);
    }
    done(null, payload);
  });
  // Behind the last answer, and before the pool of connections closes.
  scope.addHook('onClose', () => recorder.stop());
}

/** A large answer may wait for its reader: it is recorded at once, so that nothing of it is held here meanwhile. */
function whenOver(
  recorder: Recorder,
  reply: FastifyReply,
  isLarge: boolean,
  make: () => RecordedRequest,
): () => void {
  if (!isLarge) return () => recorder.add(make());
  return recordLater(recorder, reply, make());
}

function recordLater(recorder: Recorder, reply: FastifyReply, record: RecordedRequest): () => void {
  return () => recorder.add({ ...record, duration_ms: Math.round(reply.elapsedTime * 10) / 10 });
}

function callOf(
  { tenantId, directoryId, tokenId }: Caller,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  now: Date,
): Call {
  const at = new Date(now.getTime() - Math.round(reply.elapsedTime));
  return {
    ...{ tenantId, directoryId, tokenId, at },
    id: newId(at.getTime()),
    requestId: request.id,
    method: request.method,
    url: request.url,
    userAgent: request.headers['user-agent'] ?? null,
    body: request.body,
    bodyBytes: bodyBytesOf(request),
    status: reply.statusCode,
    answer: answer.value,
    isAnswerStreamed: answer.isStreamed,
    durationMs: reply.elapsedTime,
    subject: subjectOf(request, reply),
  };
}

function bodyBytesOf({ headers }: FastifyRequest): Call['bodyBytes'] {
  if (headers['transfer-encoding'] !== undefined) return 'unknown';
  const bytes = Number(headers['content-length'] ?? 0);
  return bytes > 0 ? bytes : null;
}

/** Id of the user or group that the path names, or that was made. */
function subjectOf(request: FastifyRequest, reply: FastifyReply): string | null {
  const { id } = (request.params ?? {}) as { id?: string };
  if (id !== undefined) return parseId(id) ?? null;
  const location = reply.statusCode === 201 ? reply.getHeader('location') : undefined;
  return parseId(String(location).split('/').at(-1) ?? '') ?? null;
}
