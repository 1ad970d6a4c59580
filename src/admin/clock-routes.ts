/** The gateway's clock, which operators can read and move where TEST_CLOCK is on. */

import Type from 'typebox';
import { moveClock } from '../clock/test-clock-flow.ts';
import type { Services } from '../http/services.ts';
import type { MovedClock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { adminActorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { closed, nullable, problems, Time } from './schemas.ts';

const Answer = Type.Object({ now: Time });
const Draft = Type.Object({ now: nullable(Time) }, closed);
const tags = ['clock'];

export function clockRoutes(scope: AdminScope, { database, testClock, nudgeSync }: Services): void {
  scope.put(
    '/clock',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Move the clock',
        description:
          'One clock for all tenants and processes, which goes on running from there; null: back to real time. Before ' +
          'the answer all processes have followed and contracts are settled. Only with TEST_CLOCK, never in production.',
        body: Draft,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const clock = movable(testClock);
      const to = readTarget(request.body.now);
      // Before the move, which belongs to no tenant's trail and may be only half settled when it fails.
      request.log.info({ to, by: adminActorOf(request) }, 'the clock is moved');
      await moveClock(database, clock, to);
      nudgeSync();
      return reply.send({ now: (to ?? clock.now()).toISOString() });
    },
  );

  scope.get(
    '/clock',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Read the clock',
        description: 'Only with TEST_CLOCK.',
        response: { 200: Answer, ...problems },
      },
    },
    async (_request, reply) => reply.send({ now: movable(testClock).now().toISOString() }),
  );
}

function movable(clock: MovedClock | undefined): MovedClock {
  if (clock !== undefined) return clock;
  throw new Fault(
    'not_found',
    'This gateway runs in real time: start it with TEST_CLOCK=true, and not in production, to move its clock.',
  );
}

/** Ids and what is reckoned from now must stay what a column can hold. */
function readTarget(text: string | null): Date | null {
  if (text === null) return null;
  const at = new Date(text);
  const { clockYearMin: first, clockYearMax: last } = limits;
  const year = at.getUTCFullYear();
  if (year >= first && year <= last) return at;
  throw new Fault('invalid', `"now" must be a time in ISO 8601, of the years ${first} to ${last}.`, {
    field: 'now',
  });
}
