/** The licensing bench from an empty database to its report: what is measured, in which order. */

import { cpus, totalmem } from 'node:os';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { type Figure, Figures, secondsOf } from '../figure.ts';
import { startGatewayProcess } from '../gateway-process.ts';
import { type BenchDatabase, startPostgres } from '../postgres.ts';
import { clients, measureHttp, measureStore } from './admission.ts';
import { measureEdits } from './edits.ts';
import { measureEvaluation } from './evaluation.ts';
import { measureAdmissionFloors, measureWriteFloor } from './floors.ts';
import { measureMemory } from './memory.ts';
import { type Size, sizeAt } from './size.ts';
import { type Counts, type Inspector, makeWorld, openInspector, type World } from './world.ts';

export interface LicensingOptions {
  scale: number;
  seed: number;
  say: (line: string) => void;
  /** What was started is ended with it. */
  ending: AsyncDisposableStack;
}

export interface LicensingReport {
  bench: 'licensing';
  scale: number;
  seed: number;
  startedAt: string;
  seconds: number;
  machine: Record<string, number | string>;
  size: Size;
  rows: Counts;
  databaseBytes: number;
  figures: readonly Figure[];
  problems: readonly string[];
}

/** A tenant has three quarters of a pool's connections: so many that each client has one. */
const poolSize = Math.ceil((clients * 4) / 3);

export async function benchLicensing({
  scale,
  seed,
  say,
  ending,
}: LicensingOptions): Promise<LicensingReport> {
  const startedAt = new Date();
  const figures = new Figures(say);
  const size = sizeAt(scale);
  const server = await startPostgres(ending);
  const database = openDatabase({ url: server.url, poolSize });
  ending.defer(() => database.close());
  const inspector = await openInspector(server, ending);
  const world = await generate(figures, { database, server, inspector, size, seed });
  const rows = await inspector.counts();
  await measureWriteFloor(figures, server.url, size);
  await measureEvaluation(figures, { database, url: server.url, world, ending });
  await measureEdits(figures, database, world);
  await measureAdmissionFloors(figures, server.url, size);
  await measureStore(figures, database, world);
  const gateway = await startGatewayProcess(server.url, ending);
  await measureHttp(figures, gateway, world);
  await measureMemory(figures, gateway, world);
  return {
    bench: 'licensing',
    scale,
    seed,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    machine: await machine(inspector),
    size,
    rows,
    databaseBytes: await inspector.number('select pg_database_size(current_database()) as n'),
    figures: figures.all,
    problems: figures.problems,
  };
}

interface Generation {
  database: Database;
  server: BenchDatabase;
  inspector: Inspector;
  size: Size;
  seed: number;
}

/** @throws whatever the generation fails with: there is nothing to measure then. */
async function generate(figures: Figures, generation: Generation): Promise<World> {
  const made: { world?: World; error?: unknown } = {};
  const { users, groups } = generation.size;
  const question = { id: 'generation', name: `generating ${users} people in ${groups} groups` };
  await figures.measure({ ...question, unit: 's', aim: { atMost: 180 } }, async () => {
    const make = async () => {
      made.world = await makeWorld(generation);
    };
    const value = await secondsOf(make);
    const { memberships } = await generation.inspector.counts();
    return { value, details: { memberships } };
  });
  if (made.world === undefined) throw new Error(figures.problems.at(-1));
  return made.world;
}

async function machine(inspector: Inspector): Promise<LicensingReport['machine']> {
  const [postgres] = await inspector.rows<{ server_version: string }>('show server_version');
  return {
    processors: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    node: process.versions.node,
    postgres: postgres?.server_version ?? 'unknown',
  };
}
