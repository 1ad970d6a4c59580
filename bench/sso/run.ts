/** The sign-on bench: what a login costs the gateway, and how long people wait for its answer. */

import { cpus, loadavg } from 'node:os';
import { inflateRawSync } from 'node:zlib';
import { rush } from '../clients.ts';
import { type Figure, Figures, quantile, rounded, Skipped } from '../figure.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { startPostgres } from '../postgres.ts';
import { type Asked, BenchIdentityProvider } from './identity-provider.ts';

export interface SsoOptions {
  /** Of the logins. */
  scale: number;
  say: (line: string) => void;
  /** What was started is ended with it. */
  ending: AsyncDisposableStack;
}

export interface SsoReport {
  bench: 'sso';
  startedAt: string;
  seconds: number;
  machine: Record<string, number | string>;
  figures: readonly Figure[];
  problems: readonly string[];
}

/** Of each run at scale 1; so many people, each once. */
const loginsMax = 200;
const secondsMax = 120;
const warmingRuns = 3;

export async function benchSso({ scale, say, ending }: SsoOptions): Promise<SsoReport> {
  const logins = Math.max(16, Math.round(loginsMax * scale));
  const startedAt = new Date();
  const figures = new Figures(say);
  const { url } = await startPostgres(ending);
  const gateway = await startGatewayProcess(url, ending);
  const scene = await Scene.make(gateway);
  // The people are there, threads are started, and each of them has compiled its code, as in a gateway that has run for minutes.
  for (let run = 0; run < warmingRuns; run += 1) await scene.signIn(logins, 16);
  for (const [clients, atMost] of [
    [2, 50],
    [16, 250],
  ] as const) {
    const question = {
      ...{ id: `acs.p95.${clients}`, name: `answer to a login, p95 of ${logins}, ${clients} at a time` },
      ...{ unit: 'ms' as const, aim: { atMost } },
    };
    let cpuMs: number | undefined;
    await figures.measure(question, async () => {
      const run = await scene.signIn(logins, clients);
      cpuMs = run.cpuMs;
      return {
        value: quantile(run.waits, 0.95),
        // Whoever else works on the machine makes people wait, too.
        details: { median: `${rounded(quantile(run.waits, 0.5))} ms`, load: loadavg()[0] ?? 'unknown' },
        wrong: run.wrong,
      };
    });
    await figures.measure(
      {
        ...{ id: `acs.cpu.${clients}`, name: `processor time of a login, ${clients} at a time` },
        ...{ unit: 'ms' as const, aim: { atMost: 20 } },
      },
      async () => (cpuMs === undefined ? new Skipped('the system does not tell it') : { value: cpuMs }),
    );
  }
  return {
    bench: 'sso',
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version },
    figures: figures.all,
    problems: figures.problems,
  };
}

interface Login {
  subject: string;
  /** The headers that say from which address it comes. */
  from: Record<string, string>;
  cookies: string;
  fields: string;
}

class Scene {
  readonly #gateway: GatewayProcess;
  readonly #provider: BenchIdentityProvider;
  readonly #connection: { acsUrl: string; entityId: string; loginUrl: string };

  private constructor(
    gateway: GatewayProcess,
    provider: BenchIdentityProvider,
    connection: { acsUrl: string; entityId: string; loginUrl: string },
  ) {
    this.#gateway = gateway;
    this.#provider = provider;
    this.#connection = connection;
  }

  static async make(gateway: GatewayProcess): Promise<Scene> {
    const provider = await BenchIdentityProvider.make();
    const post = async (path: string, body: object) => {
      const answer = await fetch(`${gateway.url}/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.operatorKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (answer.status !== 201) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`);
      return await answer.json();
    };
    await post('/tenants', { name: 'Bench', slug: 'bench' });
    const jit = { create: true, attributes: { userName: 'userName' } };
    const body = { protocol: 'saml', name: 'Bench', metadataXml: provider.metadataXml, jit };
    return new Scene(gateway, provider, await post('/tenants/bench/connections', body));
  }

  /** Each person is who they are afterwards, or it is wrong. */
  async signIn(count: number, clients: number) {
    const before = this.#gateway.cpuMs();
    const begun: Login[] = [];
    for (let n = 0; n < count; n += 1) begun.push(await this.#begin(n));
    const [waits, wrong]: [number[], string[]] = [[], []];
    const sessions: Omit<Login, 'fields'>[] = [];
    const rushed = await rush({ clients, secondsMax }, begun, async ({ subject, from, cookies, fields }) => {
      const began = performance.now();
      const answer = await fetch(this.#connection.acsUrl, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...from, 'content-type': 'application/x-www-form-urlencoded', cookie: cookies },
        body: fields,
      });
      waits.push(performance.now() - began);
      if (answer.status !== 303) throw new Error(`a login answers ${answer.status}`);
      sessions.push({ subject, from, cookies: cookiesIn(answer) });
    });
    const after = this.#gateway.cpuMs();
    const cpuMs = before === undefined || after === undefined ? undefined : (after - before) / count;
    if (rushed.done !== count) wrong.push(`${rushed.done} of ${count}: ${rushed.firstFailure}`);
    for (const { subject, from, cookies } of sessions) {
      const headers = { ...from, cookie: cookies };
      const session = await fetch(`${this.#gateway.url}/sso/session`, { headers });
      const { name } = (await session.json()) as { name?: string };
      if (name !== `${subject}@bench.example`) wrong.push(`${subject} is ${name}`);
    }
    return { waits, cpuMs, wrong };
  }

  async #begin(person: number): Promise<Login> {
    const subject = `person${person}`;
    // One address alone may not begin so many logins in a second.
    const from = { 'x-forwarded-for': `198.51.100.${person % 256}` };
    const { acsUrl, entityId: audience, loginUrl } = this.#connection;
    const page = await fetch(loginUrl, { redirect: 'manual', headers: from });
    const { searchParams } = new URL(page.headers.get('location') ?? '');
    const message = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
    const asked: Asked = { requestId: /\bID="([^"]+)"/.exec(message)?.[1] ?? '', acsUrl, audience };
    const fields = new URLSearchParams({
      SAMLResponse: this.#provider.answer(subject, asked),
      RelayState: searchParams.get('RelayState') ?? '',
    });
    return { subject, from, cookies: cookiesIn(page), fields: fields.toString() };
  }
}

function cookiesIn(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ');
}
