/**
 * Answers a body that is too large so that the sender hears of it: who is cut off while sending gets a broken connection
 * instead of the answer. What is announced to be not much too large is read to its end, and dropped.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../kernel/fault.ts';

/** Bytes that are read for nothing, and for how long. */
const readBytesMax = 64 * 1024 * 1024;
const readMsMax = 5000;

export function installBodyLimit(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, reply, payload) => {
    const bytes = Number(request.headers['content-length'] ?? 0);
    const limit = request.routeOptions.bodyLimit;
    if (limit === undefined || !(bytes > limit)) return payload;
    if (bytes > readBytesMax || !(await isReadWhole(payload))) reply.header('connection', 'close');
    throw new Fault(
      'too_large',
      `The body is larger than is accepted here, ${limit} bytes: send less at a time.`,
    );
  });
}

async function isReadWhole(payload: NodeJS.ReadableStream): Promise<boolean> {
  const isOver = new Promise<boolean>((done) => {
    payload.once('end', () => done(true));
    payload.once('close', () => done(false));
    payload.once('error', () => done(false));
  });
  payload.resume();
  const giveUp = new AbortController();
  const late = sleep(readMsMax, false, { signal: giveUp.signal }).catch(() => false);
  try {
    return await Promise.race([isOver, late]);
  } finally {
    giveUp.abort();
  }
}
