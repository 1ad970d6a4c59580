/** Shows how far a conversation is: a bar that stays at the bottom on a terminal, plain lines elsewhere. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { StepResult } from './conversation.ts';

const barWidth = 24;
/** So that a person can read along. */
const pauseMs = 60;

export interface Progress {
  step(result: StepResult): Promise<void>;
  end(): void;
}

/** @param slow false: as fast as it goes, on a terminal too. */
export function showProgress(name: string, out: NodeJS.WriteStream, slow: boolean): Progress {
  const clear = out.isTTY ? '\r\u001b[2K' : '';
  return {
    step: async ({ number, total, note, request, answer, mismatches }) => {
      const mark = mismatches.length === 0 ? '✓' : '✗';
      const call = `${request?.method ?? '—'} ${answer?.status ?? '—'}`.padEnd(10);
      out.write(`${clear}  ${mark} ${call} ${note ?? ''}\n`);
      for (const mismatch of mismatches) out.write(`      ${mismatch}\n`);
      if (!out.isTTY) return;
      const filled = Math.round((number / total) * barWidth);
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      out.write(`  ${name} ${bar} ${number}/${total}`);
      if (slow) await sleep(pauseMs);
    },
    end: () => {
      out.write(clear);
    },
  };
}
