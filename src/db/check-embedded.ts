/**
 * Whether a gateway of this version would start with the embedded database, found out without changing anything: the
 * database runs only while a gateway does, and is not started for this.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '../kernel/configuration-error.ts';
import type { Finding } from './check-database.ts';
import { markerName, readPassword, userOf } from './embedded-postgres.ts';
import { migrationNames } from './migrate.ts';
import { clusterPlaces, packagedBinDir } from './postgres-binaries.ts';
import { schemaProblem, schemaSentence, schemaState } from './schema-state.ts';

export async function checkEmbedded(dataDir: string): Promise<Finding> {
  const unusable = writeProblem(dataDir) ?? writeProblem(join(dataDir, 'postgres'));
  const notReached = 'The embedded database was not reached.';
  if (unusable !== undefined) return { told: [notReached], problems: [unusable] };
  let version: string;
  try {
    version = majorOf(await packagedBinDir());
  } catch (error) {
    if (error instanceof ConfigurationError) return { told: [notReached], problems: [...error.problems] };
    throw error;
  }
  const cluster = clusterPlaces(dataDir).find((place) => existsSync(join(place, 'PG_VERSION')));
  if (cluster === undefined || readPassword(dataDir) === undefined) {
    return {
      told: [`There is no database in ${dataDir} yet: the start makes one (PostgreSQL ${version}).`],
      problems: [],
    };
  }
  const { told, problems } = schemaOf(cluster);
  const madeBy = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (madeBy !== version) {
    problems.push(
      `DATA_DIR: the database in ${cluster} is PostgreSQL ${madeBy}'s, and the one that is installed is ${version}: ` +
        'start the version that made it, or choose another folder',
    );
  }
  const user = userOf(dataDir);
  if (user === undefined)
    return { told: [`${notReached} It runs only while a gateway does.`, ...told], problems };
  const why = `It is the one of the gateway that runs with ${dataDir} (process ${user}).`;
  return { told: [`${notReached} ${why}`, ...told], problems, isHeld: true };
}

/** As far as the last start noted it. */
function schemaOf(cluster: string): Finding {
  const marker = join(cluster, markerName);
  const newest = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : '';
  if (newest === '') return { told: [`What schema the one in ${cluster} has is not known.`], problems: [] };
  const known = migrationNames.filter((name) => name < newest);
  const state = schemaState([...known, newest], migrationNames);
  const problem = schemaProblem(state, migrationNames);
  return {
    told: [`When it last ran: ${schemaSentence(state, migrationNames)}`],
    problems: problem === undefined ? [] : [`DATA_DIR: ${problem}`],
  };
}

/** Of `postgres (PostgreSQL) 18.1`: 18. */
function majorOf(binDir: string): string {
  const { stdout } = spawnSync(join(binDir, 'postgres'), ['--version'], { encoding: 'utf8' });
  return /\) (\d+)/.exec(stdout ?? '')?.[1] ?? '';
}

/** Why nothing can be made in a folder, which need not exist; undefined: it can. */
function writeProblem(dataDir: string): string | undefined {
  let place = resolve(dataDir);
  while (!existsSync(place)) place = dirname(place);
  const advice = 'choose another folder, or let the account that runs the gateway write there';
  try {
    if (!statSync(place).isDirectory()) return `DATA_DIR cannot be used: ${place} is no folder: ${advice}`;
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `DATA_DIR cannot be used: ${(error as Error).message}: ${advice}`;
  }
}
