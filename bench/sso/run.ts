/** The bench of single sign-on from an empty database to its report: a tenant with one SAML connection, and many logins. */

import { cpus, loadavg } from 'node:os';
import { selfSigned } from '../../src/kernel/self-signed-certificate.ts';
import { idpEntityId } from '../../test/sso/forge.ts';
import { metadataOf } from '../../test/sso/identity-provider.ts';
import { type Figure, Figures } from '../figure.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { machineOf } from '../machine.ts';
import { startPostgres } from '../postgres.ts';
import { measureLogins } from './logins.ts';
import { type Site, Visitors } from './visitor.ts';

export interface SsoOptions {
  scale: number;
  say: (line: string) => void;
  /** What was started is ended with it. */
  ending: AsyncDisposableStack;
}

export interface SsoReport {
  bench: 'sso';
  scale: number;
  startedAt: string;
  seconds: number;
  machine: Record<string, number | string>;
  /** Of the machine, over the minute before the first and the last login. */
  load: { before: number; after: number };
  logins: number;
  figures: readonly Figure[];
  problems: readonly string[];
}

/** At scale 1; never so few that nothing is at the same time. */
const loginsAt = (scale: number) => Math.max(20, Math.round(200 * scale));

export async function benchSso({ scale, say, ending }: SsoOptions): Promise<SsoReport> {
  const startedAt = new Date();
  const before = loadavg()[0] ?? Number.NaN;
  const figures = new Figures(say);
  const logins = loginsAt(scale);
  const server = await startPostgres(ending);
  const gateway = await startGatewayProcess(server.url, ending);
  const visitors = new Visitors(await connect(gateway));
  ending.use(visitors);
  await measureLogins(figures, gateway, visitors, logins);
  const load = { before, after: loadavg()[0] ?? Number.NaN };
  say(`load of the machine: ${load.before} before, ${load.after} after, on ${cpus().length} processors`);
  return {
    bench: 'sso',
    scale,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    machine: await machineOf(server.url),
    load,
    logins,
    figures: figures.all,
    problems: figures.problems,
  };
}

/** A tenant whose people are made at their first login. */
async function connect({ url, operatorKey }: GatewayProcess): Promise<Site> {
  const make = async (path: string, body: object) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const keys = await selfSigned('bench', new Date());
  const metadataXml = metadataOf(idpEntityId, `${url}/elsewhere`, keys.certificate);
  await make('/tenants', { name: 'Bench', slug: 'bench' });
  const { acsUrl, entityId } = await make('/tenants/bench/connections', {
    ...{ protocol: 'saml', name: 'Bench', metadataXml },
    jit: { create: true, attributes: { userName: 'userName' } },
  });
  return { keys, acsUrl, audience: entityId };
}
