/** Rounds of logins: everybody begins, the answers are signed beforehand, and what is measured is the gateway's part. */

import { cpus } from 'node:os';
import { rush } from '../clients.ts';
import { type Figures, type Finding, quantile, rounded } from '../figure.ts';
import type { GatewayProcess } from '../gateway-process.ts';
import { type Begun, nameOf, type Visitors } from './visitor.ts';

const secondsMax = 120;

interface Round {
  /** Of each answer, from the post to the redirect. */
  waitsMs: number[];
  /** The gateway's processor time for each login, from its begin to its session; undefined where the system does not tell. */
  processorMs: number | undefined;
  details: Record<string, number>;
  wrong: string[];
}

/** @param people Each signs in once. */
async function signInAll(
  gateway: GatewayProcess,
  visitors: Visitors,
  people: readonly number[],
  clients: number,
): Promise<Round> {
  const wrong: string[] = [];
  const all = async <T>(work: (person: number) => Promise<T>) => {
    const found = new Map<number, T>();
    const cpu = gateway.processorMs();
    const done = await rush({ clients, secondsMax }, people, async (person) =>
      found.set(person, await work(person)),
    );
    if (done.done < people.length) {
      wrong.push(`${done.done} of ${people.length}: ${done.firstFailure ?? 'too slow'}`);
    }
    const spent = gateway.processorMs();
    return { found, processorMs: cpu === undefined || spent === undefined ? undefined : spent - cpu };
  };
  const begun = await all((person) => visitors.begin(person));
  const answers = new Map<number, Begun>();
  for (const [person, { answer }] of begun.found) answers.set(person, answer());
  const waitsMs: number[] = [];
  const busy = busyTimes();
  const signed = await all(async (person) => {
    const answer = answers.get(person);
    if (answer === undefined) throw new Error('did not begin');
    const began = performance.now();
    const session = await visitors.answer(person, answer);
    waitsMs.push(performance.now() - began);
    return session;
  });
  const busyPercent = busySince(busy);
  const names = await all(async (person) => await visitors.whoIs(person, signed.found.get(person) ?? ''));
  const strangers = [...names.found].filter(([person, name]) => name !== nameOf(person));
  if (strangers.length > 0) wrong.push(`${strangers.length} are signed in as somebody else`);
  if (new Set(signed.found.values()).size < signed.found.size) wrong.push('two have the same session');
  const parts = [begun.processorMs, signed.processorMs];
  const each = parts.map((ms) => rounded((ms ?? Number.NaN) / people.length));
  return {
    waitsMs,
    processorMs: parts.includes(undefined) ? undefined : each.reduce((a, b) => a + b),
    details: { logins: people.length, beginMs: each[0] ?? 0, answerMs: each[1] ?? 0, busyPercent },
    wrong,
  };
}

export async function measureLogins(
  figures: Figures,
  gateway: GatewayProcess,
  visitors: Visitors,
  logins: number,
): Promise<void> {
  const people = Array.from({ length: logins }, (_, n) => n);
  const p95 = ({ waitsMs, wrong, details }: Round): Finding => ({
    value: quantile(waitsMs, 0.95),
    details: { medianMs: rounded(quantile(waitsMs, 0.5), 1), ...details },
    wrong,
  });
  const first = {
    id: 'login.first',
    name: 'first login, p95 of its answer, 2 at a time',
    unit: 'ms',
  } as const;
  await figures.measure({ ...first, aim: null }, async () =>
    p95(await signInAll(gateway, visitors, people, 2)),
  );
  let calm: Round | undefined;
  for (const [clients, atMost] of [
    [2, 50],
    [16, 250],
  ] as const) {
    const question = { id: `login.p95.${clients}`, name: `login, p95 of its answer, ${clients} at a time` };
    await figures.measure({ ...question, unit: 'ms', aim: { atMost } }, async () => {
      const round = await signInAll(gateway, visitors, people, clients);
      calm ??= round;
      return p95(round);
    });
  }
  const cost = { id: 'login.processor', name: 'login, processor time of the gateway' } as const;
  await figures.measure({ ...cost, unit: 'ms', aim: { atMost: 20 } }, async () => {
    if (calm?.processorMs === undefined) throw new Error('the system does not tell it');
    return { value: calm.processorMs, details: calm.details };
  });
}

/** How busy the whole machine was: whoever else works on it makes waits longer. */
function busyTimes(): { idle: number; all: number } {
  const times = cpus().map((one) => one.times);
  const idle = times.reduce((sum, one) => sum + one.idle, 0);
  return { idle, all: times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, idle) };
}

function busySince(before: ReturnType<typeof busyTimes>): number {
  const now = busyTimes();
  return Math.round(100 * (1 - (now.idle - before.idle) / Math.max(1, now.all - before.all)));
}
