/**
 * Where signing in begins: the connection is found by the domain of an e-mail address, by the tenant, or people choose. Nobody's
 * address is looked up, so that the answer tells nothing of who is known.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { atOnce } from '../db/tenant-transaction.ts';
import { domainOf } from '../domains/core/domain-name.ts';
import { findDomains } from '../domains/domain-store.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { findTenant } from '../tenants/credential-store.ts';
import { type Connection, loginUrlOf } from './connection.ts';
import { selectConnectionsOfDomain } from './connection-domain-store.ts';
import { selectConnections } from './connection-store.ts';
import { loginHintOf, returnPathOf } from './core/asked.ts';
import { chooserPage, emailPage } from './core/page.ts';
import { languageOfRequest, sendLeadingOn, sendPage } from './sso-scope-hook.ts';

const firstId = '00000000-0000-0000-0000-000000000000';

interface LoginQuery {
  email?: unknown;
  tenant?: unknown;
  return?: unknown;
}

type Choice = Pick<Connection, 'id' | 'name' | 'protocol'>;

export function homeRealmRoutes(scope: FastifyInstance, { database }: Services): void {
  scope.get<{ Querystring: LoginQuery }>(
    '/sso/login',
    { config: { auth: 'none' } },
    async (request, reply) => {
      const { email, tenant } = request.query;
      const returnTo = returnPathOf(request.query.return);
      const language = languageOfRequest(request);
      if (typeof email === 'string') {
        const address = email.trim();
        const choices = await connectionsOfAddress(address);
        if (choices.length === 0) {
          return sendLeadingOn(reply.code(404), emailPage(language, { email: address, returnTo }));
        }
        return sendOn(request, reply, choices, { return: returnTo, login_hint: loginHintOf(address) });
      }
      if (typeof tenant === 'string') {
        const choices = await connectionsOfTenant(tenant);
        if (choices.length === 0) throw new Fault('not_found', 'There is no connection to sign in with.');
        return sendOn(request, reply, choices, { return: returnTo });
      }
      return sendLeadingOn(reply, emailPage(language, { email: undefined, returnTo }));
    },
  );

  async function connectionsOfAddress(address: string): Promise<Choice[]> {
    const domain = loginHintOf(address) === null ? undefined : domainOf(address);
    if (domain === undefined) return [];
    const tenantId = (await findDomains(database, [domain])).get(domain);
    if (tenantId === undefined) return [];
    return await atOnce(database, tenantId, (tx) => selectConnectionsOfDomain(tx, domain));
  }

  async function connectionsOfTenant(slug: string): Promise<Choice[]> {
    const found = await findTenant(database, slug);
    if (found === undefined) return [];
    const all = await atOnce(database, found.id, (tx) =>
      selectConnections(tx, firstId, limits.connectionsPerTenantMax),
    );
    return all.filter(({ enabled }) => enabled);
  }
}

function sendOn(
  request: FastifyRequest,
  reply: FastifyReply,
  choices: readonly Choice[],
  asked: Readonly<Record<string, string | null>>,
): FastifyReply {
  const given = Object.entries(asked).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  const query = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
  const links = choices.map((one) => ({ name: one.name, url: `${loginUrlOf('', one)}${query}` }));
  const [only, ...others] = links;
  if (only !== undefined && others.length === 0) return reply.redirect(only.url, 303);
  return sendPage(reply, chooserPage(languageOfRequest(request), links));
}
