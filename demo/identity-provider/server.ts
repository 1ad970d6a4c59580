/** An identity provider that is not ours: Auth0's `samlp` (xml-crypto 2) behind HTTP, on another site than the gateway. */

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fromPem, selfSigned } from '../../src/kernel/self-signed-certificate.ts';

export interface IdpPerson {
  id: string;
  displayName: string;
  name: { givenName: string; familyName: string };
  emails: { value: string }[];
}

const claim = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
/** Its names, as a connection's `jit.attributes`. */
export const samlpAttributes = {
  subject: `${claim}nameidentifier`,
  userName: `${claim}emailaddress`,
  email: `${claim}emailaddress`,
  displayName: `${claim}name`,
};

type Middleware = (
  request: { method: string; query: Record<string, string>; body: object; headers: object },
  response: { set(name: string, value: string): void; send(body: unknown): void },
  next: (error: unknown) => void,
) => void;
const samlp = createRequire(import.meta.url)('samlp') as { auth(options: object): Middleware };

export interface SamlProviderOptions {
  entityId: string;
  /** Where answers are posted to. */
  acsOf: () => string;
  /** Who signs in, or the page that asks. */
  whoIs: (query: Record<string, string>) => IdpPerson | string;
  /** Options for `samlp`, asked for at each request. */
  more?: () => object;
}

export interface SamlProvider {
  certificate: string;
  ssoUrl: string;
  metadataXml: string;
  close(): Promise<unknown>;
}

export async function startSamlProvider({
  entityId,
  acsOf,
  whoIs,
  more = () => ({}),
}: SamlProviderOptions): Promise<SamlProvider> {
  const { privateKey, certificate } = await selfSigned('idp', new Date());
  const server = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    const query = Object.fromEntries(searchParams);
    const { method = '', headers } = request;
    const body = Object.fromEntries(new URLSearchParams(await text(request)));
    const person = whoIs(query);
    if (typeof person === 'string') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(person);
      return;
    }
    const answer = samlp.auth({
      issuer: entityId,
      cert: certificate,
      key: privateKey,
      recipient: acsOf(),
      destination: acsOf(),
      getPostURL: (
        _audience: string,
        _dom: unknown,
        _request: unknown,
        done: (e: null, url: string) => void,
      ) => done(null, acsOf()),
      getUserFromRequest: () => person,
      ...more(),
    });
    answer(
      { method, query, body, headers },
      {
        set: (name, value) => response.setHeader(name, value),
        send: (body) => response.end(String(body)),
      },
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  const { port } = server.address() as AddressInfo;
  const ssoUrl = `http://localhost:${port}/sso`;
  return {
    certificate,
    ssoUrl,
    metadataXml: metadataOf(entityId, ssoUrl, certificate),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

/** @param certificates PEM. */
export function metadataOf(entityId: string, ssoUrl: string, ...certificates: string[]): string {
  const keys = certificates.map(
    (
      one,
    ) => `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>${fromPem(one)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  );
  return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}">
    <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys.join('')}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${ssoUrl}"/>
    </md:IDPSSODescriptor></md:EntityDescriptor>`;
}
