/** An OpenID provider that is not ours (oidc-provider), on `localhost`, with its own pages: it lets in whatever name is typed. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export interface UpstreamProvider {
  issuer: string;
  /** Its one client: the gateway. */
  register(connection: { callbackUrl: string; loggedOutUrl: string }): void;
  close(): Promise<unknown>;
}

export const client = { clientId: 'gateway', clientSecret: 'secret' };
const address = { email: 'ada@example.com', email_verified: true };

export async function startUpstreamProvider(): Promise<UpstreamProvider> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    register: (connection) => server.on('request', providerOf(issuer, connection).callback()),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

function providerOf(issuer: string, connection: Parameters<UpstreamProvider['register']>[0]): Provider {
  return new Provider(issuer, {
    clients: [
      {
        ...{ client_id: client.clientId, client_secret: client.clientSecret },
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
