/** What to do about an error, where the error itself does not say it. */

import type { CliConfig } from '../config.ts';
import type { CallFailed } from './admin-client.ts';
import type { Command } from './command.ts';

export function seeHelpOf(...words: string[]): string {
  return `See: npm run -s gateway -- ${[...words, '--help'].join(' ')}`;
}

/** What helps where what was named is there, and what is asked of it is not. */
const helps: readonly (readonly [RegExp, string])[] = [
  [/has no pin\.$/, '`users pin` gives one; `users explain` says what the roles come from.'],
  [/^404: No place is kept/, '`users list --seat hold` shows for whom a seat is kept.'],
  [/could be undone until/, 'That is `reclaim keep`.'],
];

/** To be put behind the error's message. */
export function adviceOn(
  { status, message }: CallFailed,
  { noun }: Command,
  commands: readonly Command[],
  { keySource }: CliConfig,
): string {
  if (status === 401) {
    return (
      `\nThe key came from ${keySource}. Set OPERATOR_KEY to one that this gateway knows, or DATA_DIR to its folder ` +
      `(the demo's is .data/demo).`
    );
  }
  if (status === 403)
    return `\nThe key came from ${keySource}. Set OPERATOR_KEY to another one, or DATA_DIR to a folder that has it.`;
  const [, help] = helps.find(([pattern]) => pattern.test(message)) ?? [];
  if (help !== undefined) return `\n${help}`;
  if (status === 404 && /no tenant/.test(message)) return '\n`tenant list` shows those there are.';
  if (status === 404 && commands.some((other) => other.noun === noun && other.verb === 'list'))
    return `\n\`${noun} list\` shows those there are.`;
  if (status === 503) return '\nTry again in a moment; /readyz says whether the gateway has its database.';
  return '';
}
