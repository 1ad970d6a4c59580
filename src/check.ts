/** `npm start -- --check`: whether the gateway would start here and now, found out without changing anything. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Config, inspectConfig } from './config.ts';
import { checkDatabase, type Finding } from './db/check-database.ts';
import { checkEmbedded } from './db/check-embedded.ts';
import { listenProblem } from './gateway.ts';

const answerMsMax = 2000;

/**
 * What was seen, and what is in the way of a start with what to do about it: none when it would start. A gateway that runs already is
 * not in the way: whoever is about to restart it looks before.
 */
export async function check(): Promise<Finding> {
  const { config, isEmbedded, problems } = inspectConfig();
  const { databaseUrl, dataDir = '', host = '', port, publicUrl } = config;
  const told = problems.length === 0 ? ['The configuration is good.'] : [];
  const findings: Finding[] = [];
  if (isEmbedded) findings.push(await checkEmbedded(dataDir));
  else if (databaseUrl === undefined) told.push('The database was not looked for.');
  else findings.push(await checkDatabase(databaseUrl));
  if (port !== undefined) findings.push(await checkPort({ host, port }));
  problems.push(...findings.flatMap((finding) => finding.problems));
  told.push(...findings.flatMap((finding) => finding.told));
  const isHeld = findings.some((finding) => finding.isHeld);
  const when = isHeld ? ', once the gateway that runs has ended' : '';
  told.push(
    problems.length === 0
      ? `The gateway would start at ${publicUrl}${when}.`
      : 'The gateway would not start:',
  );
  return { told, problems };
}

async function checkPort(where: Pick<Config, 'host' | 'port'>): Promise<Finding> {
  const probe = createServer();
  try {
    probe.listen(where.port, where.host);
    await once(probe, 'listening');
    probe.close();
    return { told: [], problems: [] };
  } catch (error) {
    if (!(await isGateway(where))) return { told: [], problems: [listenProblem(where, error as Error)] };
    return {
      told: [`A gateway listens at ${where.host}:${where.port} already.`],
      problems: [],
      isHeld: true,
    };
  }
}

async function isGateway({ host, port }: Pick<Config, 'host' | 'port'>): Promise<boolean> {
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const signal = AbortSignal.timeout(answerMsMax);
  const answer = await fetch(`${origin}/healthz`, { signal, redirect: 'error' }).catch(() => undefined);
  return answer?.status === 200 && answer.headers.has('x-request-id');
}
