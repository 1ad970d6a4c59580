/** `npm start -- --check`: whether the gateway would start here and now, found out without changing anything. */

import { createServer } from 'node:net';
import { type Config, inspectConfig } from './config.ts';
import { checkDatabase, type Finding } from './db/check-database.ts';
import { checkEmbedded } from './db/check-embedded.ts';
import { listenProblem } from './gateway.ts';

/** What was seen, and what is in the way of a start with what to do about it: none when it would start. */
export async function check(): Promise<Finding> {
  const { config, isEmbedded, problems } = inspectConfig();
  const { databaseUrl, dataDir = '', host = '', port, publicUrl } = config;
  const told = problems.length === 0 ? ['The configuration is good.'] : [];
  const findings: Finding[] = [];
  if (isEmbedded) findings.push(await checkEmbedded(dataDir));
  else if (databaseUrl === undefined) told.push('The database was not looked for.');
  else findings.push(await checkDatabase(databaseUrl));
  problems.push(...findings.flatMap((finding) => finding.problems));
  if (port !== undefined) problems.push(...(await portProblems({ host, port })));
  told.push(...findings.flatMap((finding) => finding.told));
  told.push(
    problems.length === 0 ? `The gateway would start at ${publicUrl}.` : 'The gateway would not start:',
  );
  return { told, problems };
}

function portProblems(where: Pick<Config, 'host' | 'port'>): Promise<string[]> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', (error) => done([listenProblem(where, error)]));
    probe.listen(where.port, where.host, () => probe.close(() => done([])));
  });
}
