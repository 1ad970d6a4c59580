/** Sends a browser whose session is over on to its identity provider, where there is a way to sign out. */

import type { FastifyReply } from 'fastify';
import type { Services } from '../http/services.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { EndedSession } from '../sessions/session-store.ts';
import type { Transfer } from './core/binding.ts';
import { signingOutPage } from './core/page.ts';
import { upstreamLogoutUrl } from './oidc-logout-flow.ts';
import { beginSamlLogout } from './saml-logout-flow.ts';
import { setLogin } from './session-hook.ts';
import { languageOfRequest, sendPage, sendPosting } from './sso-scope-hook.ts';

/** undefined: there is none. */
export async function nextLogout(
  reply: FastifyReply,
  services: Services,
  tenantId: TenantId,
  ended: EndedSession,
): Promise<Transfer | undefined> {
  const url = await upstreamLogoutUrl(services, tenantId, ended);
  if (url !== undefined) return { binding: 'redirect', url };
  const begun = await beginSamlLogout(services, tenantId, ended);
  if (begun !== undefined) setLogin(reply, services.publicUrl, begun.state, begun.browser);
  return begun?.transfer;
}

export function sendSigningOut(reply: FastifyReply, transfer: Transfer): FastifyReply {
  const page = signingOutPage(languageOfRequest(reply.request), transfer);
  return transfer.binding === 'post' ? sendPosting(reply, page) : sendPage(reply, page);
}
