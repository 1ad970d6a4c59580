/** What a bench finds: one figure at a time, said in one line and kept for the JSON. It knows nothing of what is measured. */

export type Unit = 's' | 'ms' | '/s' | 'MB';
export type Aim = { atMost: number } | { atLeast: number };

export interface Question {
  /** Stable: figures of different runs are compared by it. */
  id: string;
  name: string;
  unit: Unit;
  /** null: only to compare with. */
  aim: Aim | null;
}

export interface Finding {
  value: number;
  details?: Record<string, number | string>;
  /** What came out otherwise than it must, however fast. */
  wrong?: readonly string[];
}

export type Verdict = 'ok' | 'MISSED' | 'skipped' | 'floor';

export interface Figure extends Question {
  /** null: there is none, and `problem` or `skipped` says why. */
  value: number | null;
  verdict: Verdict;
  details: Record<string, number | string>;
  /** It failed, or came out wrong. */
  problem: string | null;
  skipped: string | null;
}

/** What can't be measured here: the reason instead of a finding. */
export class Skipped {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export class Figures {
  readonly all: Figure[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** A failure is a figure that is missed, so that the others are still measured. */
  async measure(question: Question, work: () => Promise<Finding | Skipped>): Promise<void> {
    const figure = await work().then(
      (found) => figureOf(question, found),
      (error: unknown) => missing(question, 'MISSED', { problem: `failed: ${messageOf(error)}` }),
    );
    this.all.push(figure);
    this.#say(lineOf(figure));
  }

  /** What failed or came out wrong; a slow figure is none of them. */
  get problems(): string[] {
    return this.all.flatMap(({ id, problem }) => (problem === null ? [] : [`${id}: ${problem}`]));
  }
}

function figureOf(question: Question, found: Finding | Skipped): Figure {
  if (found instanceof Skipped) return missing(question, 'skipped', { skipped: found.reason });
  const { value, details = {}, wrong = [] } = found;
  const problem = wrong.length === 0 ? null : `wrong: ${wrong.join('; ')}`;
  const verdict = problem === null ? verdictOf(question.aim, value) : 'MISSED';
  return { ...question, value, verdict, details, problem, skipped: null };
}

function missing(
  question: Question,
  verdict: Verdict,
  why: { problem: string } | { skipped: string },
): Figure {
  return { ...question, value: null, verdict, details: {}, problem: null, skipped: null, ...why };
}

function verdictOf(aim: Aim | null, value: number): Verdict {
  if (aim === null) return 'floor';
  return ('atMost' in aim ? value <= aim.atMost : value >= aim.atLeast) ? 'ok' : 'MISSED';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `full evaluation, everything written     4.21 s   aim ≤ 15 s      ok`. */
export function lineOf({ name, value, unit, aim, verdict, problem, skipped, details }: Figure): string {
  const figure = value === null ? '—' : amount(value, unit);
  const aimed = aim === null ? '' : 'atMost' in aim ? `≤ ${aim.atMost}` : `≥ ${aim.atLeast}`;
  const columns = [
    name.padEnd(62),
    figure.padStart(12),
    (aim === null ? '' : `aim ${aimed} ${unit}`).padEnd(14),
  ];
  const more = Object.entries(details).map(([key, detail]) => `${key} ${detail}`);
  const remark = [problem ?? skipped ?? '', more.join(', ')].filter((text) => text !== '').join('; ');
  return `${columns.join('  ')}  ${verdict}${remark === '' ? '' : `  (${remark})`}`;
}

export function amount(value: number, unit: Unit): string {
  return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })} ${unit}`;
}

/** Seconds that the work took. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** @param share 0.5: the median. NaN where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
