/** Single logout by SAML as browsers carry it, by the redirect binding. */

import type { FastifyInstance } from 'fastify';
import type { Services } from '../http/services.ts';
import { loggedOutPage, refusalPage, signedOutPage } from './core/page.ts';
import { Refusal } from './core/refusal.ts';
import { type ConnectionPath, placeOf } from './login-hook.ts';
import { acceptLogout } from './saml-logout-flow.ts';
import { clearLogin, loginOf } from './session-hook.ts';
import { languageOfRequest, sendPage } from './sso-scope-hook.ts';

export function samlLogoutRoutes(scope: FastifyInstance, services: Services): void {
  const { publicUrl } = services;
  scope.get<{ Params: ConnectionPath; Querystring: { RelayState?: unknown } }>(
    '/sso/saml/:connectionId/slo',
    { config: { auth: 'none' } },
    async (request, reply) => {
      const language = languageOfRequest(request);
      const place = await placeOf(request, services);
      const [, query = ''] = /^[^?]*\?(.*)$/s.exec(request.url) ?? [];
      const { RelayState: state } = request.query;
      if (typeof state === 'string') clearLogin(reply, publicUrl, state);
      try {
        const answer = await acceptLogout(services, place, {
          ...{ query, requestId: request.id },
          browserOf: (relayState) => loginOf(request, publicUrl, relayState),
        });
        if (answer.kind === 'answered') return reply.redirect(answer.url, 303);
        return sendPage(reply, answer.isWhole ? loggedOutPage(language) : signedOutPage(language, true));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { reason, message: detail } = error;
        request.log.warn({ ...place, reason, detail }, 'a logout was refused');
        return sendPage(reply.code(403), refusalPage(language, { reference: request.id }));
      }
    },
  );
}
