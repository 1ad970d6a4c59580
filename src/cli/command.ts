/** What a command of the command line is: data, from which both the flags and the call of the admin API follow. */

/** Values as they were typed; a flag without a value is true. */
export type Input = Readonly<Record<string, string | true | undefined>>;

export interface Flag {
  /** Without the dashes. */
  name: string;
  /** What stands behind it in the help; undefined: the flag takes no value. */
  value?: string;
  description: string;
  required?: boolean;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`. */
  path: string;
  /** JSON; a text is a CSV file. */
  body?: unknown;
  /** The body is laid over what this path answers: what is not named stays as it is. */
  onto?: string;
}

export interface Command {
  noun: string;
  verb: string;
  summary: string;
  /** What is named without a flag, as `user-id`. */
  argument?: string;
  /** It may be left out, where a flag of its name stands for it. */
  isArgumentOptional?: boolean;
  /** Several may be named: the input has them between commas. */
  isArgumentRepeated?: boolean;
  /** Inputs that name a person, by id, userName or e-mail address, and which list of people has that person. */
  people?: Readonly<Record<string, '/users' | '/removed-users'>>;
  flags: readonly Flag[];
  /** Puts what has to be asked of the gateway first in place of what was typed. */
  lookUp?(input: Input, get: (path: string) => Promise<unknown>): Promise<Input>;
  call(input: Input): Call;
  /** Fields of a list's items that are shown; `a.b` reaches inside. */
  columns?: readonly string[];
  /** Where one call answers a part: all of it. */
  whole?(answer: unknown, input: Input, get: (path: string) => Promise<unknown>): Promise<unknown>;
  /** What is wrong by the answer, and what to do: it is shown behind it, and the exit code is 1. */
  problem?(answer: unknown): string | undefined;
  /** Makes the answer easier to read, with what else the gateway tells. */
  readable?(answer: unknown, input: Input, get: (path: string) => Promise<unknown>): Promise<unknown>;
}

/** A mistake in how a command was called. */
export class UsageError extends Error {}

export const tenantFlag: Flag = {
  name: 'tenant',
  value: 'id or slug',
  description: 'whose',
  required: true,
};
/** Of commands about one person. */
export const aPerson: Pick<Command, 'argument' | 'people'> = { argument: 'user', people: { user: '/users' } };
/** Of edits that the breaker may stop. */
export const confirmFlag: Flag = {
  name: 'confirm',
  description: 'also where it takes more seats away than the breaker lets pass',
};
export const pageFlags: readonly Flag[] = [
  { name: 'limit', value: 'n', description: 'items on a page' },
  { name: 'cursor', value: 'text', description: "the last answer's nextCursor" },
];

/** The path of a tenant's resource, with the query that the flags named ask for. */
export function tenantPath(input: Input, rest: string, ...query: string[]): string {
  return withQuery(`/tenants/${encodeURIComponent(text(input, 'tenant'))}${rest}`, input, query);
}

export function withQuery(path: string, input: Input, names: readonly string[]): string {
  const given = names.flatMap((name) => (input[name] === undefined ? [] : [[name, String(input[name])]]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** A value that is there because its flag is required; empty it would name another path, or nothing. */
export function text(input: Input, name: string): string {
  const value = input[name];
  if (value === undefined) throw new UsageError(`${name} is missing`);
  if (typeof value !== 'string' || value === '') throw new UsageError(`${name} must not be empty`);
  return value;
}

export function part(input: Input, name: string): string {
  return encodeURIComponent(text(input, name));
}

/** undefined: the flag was not given. */
export function integer(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^-?\d+$/.test(value))
    throw new UsageError(`--${name} takes a whole number`);
  return Number(value);
}

/** Values between commas. */
export function list(input: Input, name: string): string[] | undefined {
  const value = input[name];
  if (typeof value !== 'string') return undefined;
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** Pairs `a=b` between commas; empty: none. undefined: the flag was not given. */
export function pairs(input: Input, name: string): Record<string, string> | undefined {
  const written = list(input, name);
  if (written === undefined) return undefined;
  const entries = written.map((pair) => {
    const [, key, value] = /^(.+)=([^=]+)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) throw new UsageError(`--${name} takes name=value, …`);
    return [key, value];
  });
  return Object.fromEntries(entries);
}

/** undefined: the flag was not given. */
export function truth(input: Input, name: string): boolean | undefined {
  const value = input[name];
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false') throw new UsageError(`--${name} takes true or false`);
  return value === 'true';
}

/** Only the fields that were given. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A value that is written as JSON. */
export function json(input: Input, name: string): unknown {
  const value = text(input, name);
  try {
    return JSON.parse(value);
  } catch {
    throw new UsageError(`--${name} takes JSON`);
  }
}
