/** What a run tells: counts, the slowest, the failures as something to run again. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzRequest } from './requests.ts';
import { bytesOf, type FuzzAnswer } from './wire.ts';
import type { World } from './world.ts';

const slowestKept = 5;
const failuresKept = 50;

export class Report {
  readonly #counts = new Map<string, Map<number, number>>();
  #slowest: { ms: number; what: string }[] = [];
  /** The first of them, ready to be read. */
  readonly failures: string[] = [];
  breached = 0;
  sent = 0;

  add(request: FuzzRequest, { status, ms }: FuzzAnswer): void {
    this.sent += 1;
    const route = `${request.method} ${request.target.route}`;
    const counts = this.#counts.get(route) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.#counts.set(route, counts);
    if (ms <= (this.#slowest.at(-1)?.ms ?? 0) && this.#slowest.length === slowestKept) return;
    const what = `#${request.n} ${status} ${request.method} ${request.target.path.slice(0, 120)}`;
    this.#slowest = [...this.#slowest, { ms, what }].toSorted((a, b) => b.ms - a.ms).slice(0, slowestKept);
  }

  fail(text: string): void {
    this.breached += 1;
    if (this.failures.length < failuresKept) this.failures.push(text);
  }

  byStatus(): Map<number, number> {
    const sums = new Map<number, number>();
    for (const counts of this.#counts.values())
      for (const [status, count] of counts) sums.set(status, (sums.get(status) ?? 0) + count);
    return sums;
  }

  summary(): string {
    const line = (counts: ReadonlyMap<number, number>) =>
      [...counts]
        .toSorted(([a], [b]) => a - b)
        .map(([status, count]) => `${status === 0 ? 'closed' : status}: ${count}`)
        .join(', ');
    const total = (counts: ReadonlyMap<number, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
    const routes = [...this.#counts]
      .toSorted(([, a], [, b]) => total(b) - total(a))
      .slice(0, 30)
      .map(([route, counts]) => `  ${route.padEnd(28)} ${line(counts)}`);
    const slowest = this.#slowest.map(({ ms, what }) => `  ${ms.toFixed(0).padStart(5)} ms  ${what}`);
    return [`all ${this.sent}: ${line(this.byStatus())}`, ...routes, 'slowest:', ...slowest].join('\n');
  }
}

/** The request as it went out, for curl where curl can send it; tokens and ids are of a database that is gone by then. */
export function reproduction(
  request: FuzzRequest,
  answer: FuzzAnswer,
  found: string[],
  where: Reproduce,
): string {
  const { seed, folder, world } = where;
  const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  const hide = (value: string) =>
    [...world.tokens.own, world.tokens.other].reduce(
      (text, token) => text.replaceAll(token, '$TOKEN'),
      value,
    );
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `input-${request.n}.http`);
  writeFileSync(file, bytesOf(request));
  const parts = [
    `curl -i --path-as-is -X ${quoted(request.method)}`,
    quoted(`$GATEWAY${request.target.path.slice(0, 2000)}`),
  ];
  for (const [name, value] of request.headers)
    parts.push(`-H ${quoted(hide(`${name}: ${value}`).slice(0, 500))}`);
  const { body, framing } = request;
  if (body !== undefined && body.length <= 2000) parts.push(`--data-binary ${quoted(body.toString('utf8'))}`);
  else if (body !== undefined) parts.push('--data-binary @body');
  const curl = parts.join(' ');
  const told = answer.body.toString('utf8').slice(0, 600);
  const text = `seed ${seed}, input ${request.n} (${framing}): ${found.join('; ')}\n${curl}\n-> ${answer.status} ${told}\n`;
  writeFileSync(join(folder, `input-${request.n}.txt`), `${text}\nbytes: ${file}\n`);
  return text;
}

export interface Reproduce {
  seed: number;
  folder: string;
  world: World;
}
