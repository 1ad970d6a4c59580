/** A browser as far as signing in needs one: cookies by host, redirects one at a time. */

export interface Page {
  status: number;
  url: string;
  headers: Headers;
  text: string;
}

export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly language: string;

  constructor(language = 'en') {
    this.language = language;
  }

  cookiesOf(url: string): Map<string, string> {
    const { host } = new URL(url);
    const found = this.#cookies.get(host) ?? new Map();
    this.#cookies.set(host, found);
    return found;
  }

  /** @param crossSite A post that comes from a page of another site: `Lax` cookies stay at home. */
  async send(url: string, form?: Record<string, string> | string, crossSite = false): Promise<Page> {
    const cookies = this.cookiesOf(url);
    const sent = [...cookies].filter(([name]) => !crossSite || !/bgw_(session|place)$/.test(name));
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: {
        'accept-language': this.language,
        ...(sent.length === 0 ? {} : { cookie: sent.map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === undefined
        ? {}
        : { method: 'POST', body: typeof form === 'string' ? form : new URLSearchParams(form).toString() }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line) || value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return { status: answer.status, url, headers: answer.headers, text: await answer.text() };
  }

  async follow(url: string): Promise<Page> {
    let page = await this.send(url);
    for (let hop = 0; hop < 5 && page.status === 303; hop += 1) {
      page = await this.send(new URL(page.headers.get('location') ?? '', page.url).href);
    }
    return page;
  }
}

/** The page of a refused login, and its reference; `uniform` is what no attack may change: all but that, and the way back to its connection. */
export function refusalIn({ text }: Page): { reference: string; uniform: string } {
  const [, reference = ''] = /<code>([^<]*)<\/code>/.exec(text) ?? [];
  const uniform = text
    .replace(reference, '')
    .replace(/href="\/sso\/(saml|oidc)\/[0-9a-f-]{36}\/login"/, 'href');
  return { reference, uniform };
}

/** What the form of an identity provider would post, and where. */
export function formOf({ text }: Page): { action: string; fields: Record<string, string> } {
  const fields = [...text.matchAll(/<input type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, unescapeHtml(value)] as const,
  );
  return {
    action: unescapeHtml(/<form[^>]* action="([^"]*)"/.exec(text)?.[1] ?? ''),
    fields: Object.fromEntries(fields),
  };
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll(/&#(\d+);/g, (_all, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&amp;', '&');
}
