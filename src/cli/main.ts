/**
 * The command line: `npm run -s gateway -- <noun> <verb> [flags] [--json]`, the admin API's calls for people and scripts.
 * Exit codes: 0 done, 1 refused or failed, 2 usage, 78 configuration.
 */

import { CommanderError, Command as Program } from 'commander';
import { type CliConfig, readCliConfig } from '../config.ts';
import { ConfigurationError } from '../kernel/configuration-error.ts';
import { accessRequestCommands } from './access-request-commands.ts';
import { CallFailed, call } from './admin-client.ts';
import { adviceOn, seeHelpOf } from './advice.ts';
import { alertCommands } from './alert-commands.ts';
import { auditCommands } from './audit-commands.ts';
import { blueCommands } from './blue-commands.ts';
import { catalogueCommands } from './catalogue-commands.ts';
import { clientCommands } from './client-commands.ts';
import { clockCommands } from './clock-commands.ts';
import { type Command, type Input, UsageError } from './command.ts';
import { connectionCommands } from './connection-commands.ts';
import { domainCommands } from './domain-commands.ts';
import { editRequestCommands, waitsText, withoutFile } from './edit-request-commands.ts';
import { importCommands } from './import-commands.ts';
import { licensingCommands } from './licensing-commands.ts';
import { mappingDraftCommands } from './mapping-draft-commands.ts';
import { openIdCommands } from './openid-commands.ts';
import { render } from './output.ts';
import { previewCommands } from './preview-commands.ts';
import { reclaimCommands } from './reclaim-commands.ts';
import { requestCommands } from './request-commands.ts';
import { scimCommands } from './scim-commands.ts';
import { signalCommands } from './signal-commands.ts';
import { tenantCommands } from './tenant-commands.ts';
import { withUserIds } from './user-name.ts';

const commands = [
  ...tenantCommands,
  ...clientCommands,
  ...connectionCommands,
  ...accessRequestCommands,
  ...domainCommands,
  ...openIdCommands,
  ...scimCommands,
  ...requestCommands,
  ...licensingCommands,
  ...auditCommands,
  ...reclaimCommands,
  ...importCommands,
  ...alertCommands,
  ...editRequestCommands,
  ...previewCommands,
  ...mappingDraftCommands,
  ...blueCommands,
  ...clockCommands,
  ...catalogueCommands,
  ...signalCommands,
];

function build(): Program {
  const program = new Program('gateway')
    .description(
      'Calls the admin API of a Blue Gateway (GATEWAY_URL) with OPERATOR_KEY or the key in DATA_DIR.',
    )
    .showHelpAfterError(seeHelpOf())
    .exitOverride();
  for (const [noun, verbs] of Map.groupBy(commands, (command) => command.noun)) {
    const names = verbs.map(({ verb }) => verb).join(', ');
    const group = program
      .command(noun)
      .description(names)
      .showHelpAfterError(`After "${noun}" comes one of: ${names}. ${seeHelpOf(noun)}`)
      .exitOverride();
    for (const command of verbs) addVerb(group, command);
  }
  return program;
}

function addVerb(group: Program, command: Command): void {
  const { noun, verb: name, summary, argument, isArgumentOptional, isArgumentRepeated } = command;
  const verb = group
    .command(name)
    .description(summary)
    .showHelpAfterError(seeHelpOf(noun, name))
    .exitOverride();
  if (argument !== undefined) {
    const isPerson = command.people?.[argument] !== undefined;
    const description = isPerson ? 'by id, userName or e-mail address' : undefined;
    const form = isArgumentRepeated ? `${argument}...` : argument;
    verb.argument(isArgumentOptional ? `[${form}]` : `<${form}>`, description);
  }
  for (const { name, value, description, required } of command.flags) {
    const form = value === undefined ? `--${name}` : `--${name} <${value}>`;
    if (required) verb.requiredOption(form, `${description} (required)`);
    else verb.option(form, description);
  }
  verb.option('--json', 'print the answer as it came');
  verb.action(async (...values: unknown[]) => {
    const options = verb.opts<Record<string, string | true | undefined>>();
    const [typed] = values;
    await run(command, {
      ...Object.fromEntries(command.flags.map(({ name }) => [name, options[camelCase(name)]])),
      ...(argument === undefined || typed === undefined ? {} : { [argument]: String(typed) }),
      ...(options.json === true ? { json: true } : {}),
    });
  });
}

/** As commander names the values of flags. */
function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

async function run(command: Command, input: Input): Promise<void> {
  const options = readCliConfig();
  try {
    await perform(command, input, options);
  } catch (error) {
    if (error instanceof UsageError) error.message += `\n${seeHelpOf(command.noun, command.verb)}`;
    if (error instanceof CallFailed) error.message += adviceOn(error, command, commands, options);
    throw error;
  }
}

async function perform(command: Command, { json, ...typed }: Input, options: CliConfig): Promise<void> {
  const get = async (path: string) => (await call(options, { method: 'GET', path })).answer;
  const named = await withUserIds(typed, command, get);
  const input = (await command.lookUp?.(named, get)) ?? named;
  const request = command.call(input);
  const { onto, body } = request;
  const written = onto === undefined ? body : { ...((await get(onto)) as object), ...(body as object) };
  const { status, answer: first } = await call(options, { ...request, body: written });
  if (first === undefined) return;
  const answer = command.whole === undefined ? first : await command.whole(first, input, get);
  if (json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else if (status === 202)
    process.stdout.write(`${render(withoutFile(answer), undefined)}\n${waitsText(answer, input)}\n`);
  else {
    const shown = (await command.readable?.(answer, input, get)) ?? answer;
    process.stdout.write(`${render(shown, command.columns)}\n`);
  }
  const problem = command.problem?.(answer);
  if (problem !== undefined) throw new Error(problem);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${text}\n`);
  if (error instanceof UsageError) return 2;
  if (error instanceof ConfigurationError) return 78;
  return 1;
}

// Whoever reads may have enough, as `head`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
try {
  await build().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
