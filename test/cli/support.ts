/** Runs the command line as a person does, as a process of its own. */

import { execFile } from 'node:child_process';
import { root } from '../support/sources.ts';

export interface Result {
  code: number;
  out: string;
  err: string;
}

export function runCli(args: readonly string[], environment: Record<string, string>): Promise<Result> {
  const env = { ...process.env, ...environment };
  return new Promise((done) =>
    execFile(process.execPath, ['src/cli/main.ts', ...args], { env, cwd: root }, (error, out, err) =>
      done({ code: Number(error?.code ?? 0), out, err }),
    ),
  );
}
