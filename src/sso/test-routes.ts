/** Where an admin's browser begins a test login. It ends where logins end (login-hook.ts). */

import type { FastifyInstance } from 'fastify';
import type { Services } from '../http/services.ts';
import { setLogin } from './session-hook.ts';
import { sendOn } from './sso-scope-hook.ts';
import { beginTest } from './test-flow.ts';

export function testRoutes(scope: FastifyInstance, services: Services): void {
  scope.get<{ Params: { token: string } }>(
    '/sso/test/:token',
    { config: { auth: 'none' } },
    async (request, reply) => {
      const { transfer, state, browser } = await beginTest(services, request.params.token);
      setLogin(reply, services.publicUrl, state, browser);
      return sendOn(reply, transfer);
    },
  );
}
