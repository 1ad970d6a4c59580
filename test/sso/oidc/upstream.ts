/** An OpenID provider that is not ours (oidc-provider, with its own pages), on `localhost`: another site than the gateway. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { made, type TestGateway, type TestTenant } from '../../support/gateway.ts';

export type Upstream = Awaited<ReturnType<typeof startUpstream>>;

export async function startUpstream() {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    /** Makes a connection to it, and answers as it then does. */
    connect: async (gateway: TestGateway, { slug }: TestTenant) => {
      const body = {
        protocol: 'oidc',
        name: 'Provider',
        issuer,
        clientId: 'gateway',
        clientSecret: 'secret',
      };
      const more = { singleLogout: true, jit: { create: true } };
      const connection = await made(
        gateway.api('POST', `/tenants/${slug}/connections`, { ...body, ...more }),
      );
      server.removeAllListeners('request').on('request', providerOf(issuer, connection).callback());
      return connection;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

function providerOf(issuer: string, connection: { callbackUrl: string; loggedOutUrl: string }): Provider {
  const address = { email: 'ada@example.com', email_verified: true };
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'gateway',
        client_secret: 'secret',
        redirect_uris: [connection.callbackUrl],
        post_logout_redirect_uris: [connection.loggedOutUrl],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...address, name: 'Ada Lovelace', preferred_username: address.email }),
    }),
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    cookies: { keys: ['x'] },
  });
}
