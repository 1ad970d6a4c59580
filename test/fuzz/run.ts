/** Sends the inputs of a seed to a gateway, over several connections, and holds each answer to the checks. */

import { setTimeout as sleep } from 'node:timers/promises';
import { breaches } from './checks.ts';
import { Report, reproduction } from './report.ts';
import { type FuzzRequest, makeRequest } from './requests.ts';
import type { FuzzTarget } from './target.ts';
import { bytesOf, Connection, type FuzzAnswer } from './wire.ts';
import type { World } from './world.ts';

export interface RunOptions {
  seed: number;
  count: number;
  connections: number;
  /** Ends it earlier. */
  secondsMax: number;
  /** An answer that takes longer is a breach. */
  msMax: number;
  /** Failing inputs are written there. */
  folder: string;
  /** How often it stops for a look at memory and at the other tenant. */
  pauses: number;
  /** Ends it, with what there is. */
  signal?: AbortSignal;
  say(line: string): void;
}

export interface RunResult {
  report: Report;
  /** Bytes, at each pause. */
  memory: number[];
  seconds: number;
}

const pauseMs = 4000;

export async function run(target: FuzzTarget, options: RunOptions): Promise<RunResult> {
  const { count, pauses, secondsMax } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const isOver = () => seconds() > secondsMax || options.signal?.aborted === true || !target.isAlive();
  const report = new Report();
  const memory: number[] = [];
  const before = await target.otherFingerprint();
  for (let part = 1; part <= pauses && !isOver(); part += 1) {
    const [from, to] = [Math.floor((count * (part - 1)) / pauses), Math.floor((count * part) / pauses)];
    await sendAll(target, { ...options, from, to, isOver }, report);
    if (options.signal?.aborted === true) break;
    if (!target.isAlive()) report.fail(`the gateway ended: ${target.output().slice(-2000)}`);
    if ((await target.otherFingerprint().catch(String)) !== before)
      report.fail('the other tenant has changed');
    if (!target.isAlive()) break;
    if (pauses > 1) memory.push(await idleMemory(target));
    const size = memory.length === 0 ? '' : `, ${megabytes(memory.at(-1) ?? 0)} MB`;
    options.say(`${report.sent} sent, ${report.breached} breaches, ${seconds().toFixed(0)} s${size}`);
  }
  if (options.signal?.aborted !== true && !(await target.isReady())) report.fail('/readyz is not 200');
  return { report, memory, seconds: seconds() };
}

export const megabytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

type Part = RunOptions & { from: number; to: number; isOver(): boolean };

async function sendAll(target: FuzzTarget, part: Part, report: Report): Promise<void> {
  let next = part.from;
  const worker = async () => {
    const connection = new Connection(target.port);
    while (next < part.to && !part.isOver()) {
      const n = next;
      next += 1;
      await sendOne(target, connection, makeRequest(part.seed, n, target.world), part, report);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: part.connections }, worker));
}

async function sendOne(
  { world }: FuzzTarget,
  connection: Connection,
  request: FuzzRequest,
  { seed, folder, msMax }: RunOptions,
  report: Report,
): Promise<void> {
  const isLast = request.framing !== 'whole' && request.framing !== 'chunked';
  const how = { isHead: request.method === 'HEAD', isLast, msMax: msMax * 5 };
  const answer = await connection.send(bytesOf(request), how);
  const found = breaches(request, answer, { world, msMax });
  report.add(request, answer);
  if (found.length > 0) report.fail(reproduction(request, answer, found, { seed, folder, world }));
  learn(request, answer, world);
}

/** Which ids there are now. */
function learn({ method, target, caller }: FuzzRequest, { status, body }: FuzzAnswer, world: World): void {
  const { kind, id } = target;
  if (kind === undefined || caller !== 'own') return;
  if (method === 'POST' && status === 201) {
    const [, made] = /"id":"([0-9a-f-]{36})"/.exec(body.toString('utf8')) ?? [];
    if (made !== undefined) world.made(kind, made);
  }
  const isGone = (method === 'DELETE' && status === 204) || (method === 'GET' && status === 404);
  if (id !== undefined && isGone) world.removed(kind, id);
}

/** The least of some seconds without requests. */
async function idleMemory(target: FuzzTarget): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + pauseMs; performance.now() < end; await sleep(100)) {
    least = Math.min(least, target.memory());
  }
  return least;
}
