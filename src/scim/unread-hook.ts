/** Bounds what one token has been answered and does not read: such answers stay in memory for as long as it likes. */

import type { FastifyInstance } from 'fastify';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';

/** Shorter answers are not counted. */
const countedFrom = 64 * 1024;

export function installUnread(scope: FastifyInstance): void {
  const unread = new Map<string, number>();
  scope.addHook('onSend', async (request, reply, payload) => {
    const token = request.directoryCaller?.tokenId;
    const isRead = request.method === 'GET' || request.routeOptions.config.isRead === true;
    if (token === undefined || !isRead || typeof payload !== 'string' || payload.length < countedFrom)
      return payload;
    const before = unread.get(token) ?? 0;
    if (before > 0 && before + payload.length > limits.unreadAnswersLengthMax) {
      const text = 'Earlier answers to this token have not been read yet: read them, then ask again.';
      throw new Fault('rate_limited', text, { retryAfterSeconds: 1 });
    }
    unread.set(token, before + payload.length);
    const settle = () => {
      const rest = (unread.get(token) ?? 0) - payload.length;
      if (rest > 0) unread.set(token, rest);
      else unread.delete(token);
    };
    if (reply.raw.closed || reply.raw.destroyed) settle();
    else reply.raw.once('close', settle);
    return payload;
  });
}
