/** Single logout by SAML as browsers carry it, by HTTP-Redirect and by HTTP-POST (SAML 2.0 Bindings §3.4, §3.5). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../http/services.ts';
import { limits } from '../kernel/limits.ts';
import { loggedOutPage, refusalPage, signedOutPage } from './core/page.ts';
import { Refusal } from './core/refusal.ts';
import { type ConnectionPath, placeOf } from './login-hook.ts';
import { acceptLogout, type Brought } from './saml-logout-flow.ts';
import type { SamlVerifier } from './saml-verifier-client.ts';
import { clearLogin, loginOf, signInPlaceOf } from './session-hook.ts';
import { languageOfRequest, sendOn, sendPage } from './sso-scope-hook.ts';

const path = '/sso/saml/:connectionId/slo';
const config = { auth: 'none' } as const;

export function samlLogoutRoutes(scope: FastifyInstance, services: Services, verifier: SamlVerifier): void {
  const { publicUrl } = services;
  scope.get<{ Params: ConnectionPath }>(path, { config }, async (request, reply) => {
    const [, query = ''] = /^[^?]*\?(.*)$/s.exec(request.url) ?? [];
    return await answer(request, reply, { binding: 'redirect', query });
  });

  scope.post<{ Params: ConnectionPath; Body: URLSearchParams | undefined }>(
    path,
    { config, bodyLimit: limits.samlBytesMax * 2 },
    async (request, reply) =>
      await answer(request, reply, { binding: 'post', form: request.body ?? new URLSearchParams() }),
  );

  async function answer(
    request: FastifyRequest<{ Params: ConnectionPath }>,
    reply: FastifyReply,
    brought: Brought,
  ): Promise<FastifyReply> {
    const language = languageOfRequest(request);
    const place = await placeOf(request, services);
    const signInPlace = signInPlaceOf(request, publicUrl);
    const browserOf = (relayState: string) => {
      clearLogin(reply, publicUrl, relayState);
      return loginOf(request, publicUrl, relayState);
    };
    try {
      const answered = await acceptLogout({ ...services, verifier }, place, brought, {
        requestId: request.id,
        browserOf,
      });
      if (answered.kind === 'answered') return sendOn(reply, answered.transfer);
      return sendPage(
        reply,
        answered.isWhole
          ? loggedOutPage(language, { place: signInPlace })
          : signedOutPage(language, { wasSignedIn: true, place: signInPlace }),
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { reason, message: detail } = error;
      request.log.warn({ ...place, reason, detail }, 'a logout was refused');
      return sendPage(reply.code(403), refusalPage(language, { reference: request.id, place: signInPlace }));
    }
  }
}
