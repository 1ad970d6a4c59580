/** Whether a gateway of this version would start on a database, found out without changing anything there. */

import { ConfigurationError } from '../kernel/configuration-error.ts';
import { lookAtSchema, migrationNames } from './migrate.ts';
import { schemaSentence } from './schema-state.ts';
import { hostOf, missingRoles, rolesProblem, serverVersion, withServer } from './server.ts';

export interface Finding {
  /** What was seen, in sentences. */
  told: string[];
  /** Why a start would fail, and what to do. */
  problems: string[];
  /** A gateway that runs has it, and must end before another one starts. */
  isHeld?: boolean;
}

export async function checkDatabase(url: string): Promise<Finding> {
  const told: string[] = [];
  const problems: string[] = [];
  try {
    await withServer(url, async (db) => {
      const name = new URL(url).pathname.slice(1);
      told.push(`The database was reached: PostgreSQL ${await serverVersion(db)} at ${hostOf(url)}/${name}.`);
      const { state, problem } = await lookAtSchema(db);
      if (state !== undefined) told.push(schemaSentence(state, migrationNames));
      if (problem !== undefined) problems.push(`DATABASE_URL: ${problem}`);
      const missing = await missingRoles(db);
      if (missing.some(({ isAllowed }) => !isAllowed))
        problems.push(`DATABASE_URL: ${rolesProblem(missing)}`);
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    told.push('The database was not reached.');
    problems.push(...error.problems);
  }
  return { told, problems };
}
