/** A browser that signs in by SAML as one person: what it keeps from one step to the next, and nothing else. */

import { Agent, request } from 'undici';
import { askedIn, goodResponse, type Scene } from '../../test/sso/forge.ts';

/** Several addresses, as people in several offices: one alone may not begin so many logins in a second. */
const addresses = 16;

/** Where people sign in, and whose answers count there. */
export type Site = Pick<Scene, 'keys' | 'acsUrl' | 'audience'>;

/** A login that waits for its answer. */
export interface Begun {
  cookie: string;
  form: string;
}

export class Visitors implements AsyncDisposable {
  readonly #site: Site;
  readonly #agents = Array.from(
    { length: addresses },
    (_, n) => new Agent({ connect: { localAddress: `127.0.1.${n + 1}` } }),
  );

  constructor(site: Site) {
    this.#site = site;
  }

  /** To the identity provider and back: what it costs to sign there is not the gateway's. @param person A number. */
  async begin(person: number): Promise<{ answer: () => Begun }> {
    const { status, location, cookies } = await this.#send(
      person,
      this.#site.acsUrl.replace(/acs$/, 'login'),
    );
    expectStatus(status, 303);
    const { requestId, relayState } = askedIn(location);
    return {
      answer: () => {
        const scene = { ...this.#site, strangers: this.#site.keys, requestId };
        const xml = goodResponse(scene, { subject: subjectOf(person) });
        const SAMLResponse = Buffer.from(xml).toString('base64');
        const form = new URLSearchParams({ SAMLResponse, RelayState: relayState }).toString();
        return { cookie: cookies, form };
      },
    };
  }

  /** Answers the session's cookie. */
  async answer(person: number, { cookie, form }: Begun): Promise<string> {
    const { status, cookies } = await this.#send(person, this.#site.acsUrl, { cookie, form });
    expectStatus(status, 303);
    return cookies;
  }

  /** As whom the session's holder is signed in. */
  async whoIs(person: number, cookie: string): Promise<string> {
    const url = new URL('/sso/session', this.#site.acsUrl).href;
    const { status, text } = await this.#send(person, url, { cookie });
    expectStatus(status, 200);
    return JSON.parse(text).name;
  }

  async #send(person: number, url: string, { cookie = '', form }: { cookie?: string; form?: string } = {}) {
    const { statusCode, headers, body } = await request(url, {
      dispatcher: this.#agents[person % addresses] as Agent,
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        cookie,
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === undefined ? {} : { body: form }),
    });
    const set = [headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0] ?? '');
    return {
      status: statusCode,
      location: String(headers.location ?? ''),
      cookies: set.filter((one) => !one.endsWith('=')).join('; '),
      text: await body.text(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.close()));
  }
}

export const subjectOf = (person: number) => `person${person}`;
/** As the identity provider says it. */
export const nameOf = (person: number) => `${subjectOf(person)}@example.com`;

function expectStatus(status: number, wanted: number): void {
  if (status !== wanted) throw new Error(`answered ${status} instead of ${wanted}`);
}
