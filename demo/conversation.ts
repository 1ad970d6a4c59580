/**
 * A conversation is a JSON file: what an identity provider sends, step by step, and what it must get back.
 * This plays one against a SCIM base URL. It is the same player in the tests and in the demo.
 */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Pool } from 'undici';
import { broken } from './answer-rules.ts';
import { differences, isObject, type Json, type JsonObject } from './matcher.ts';
import { fill, fillPath, pick, UnknownName, type Variables } from './placeholders.ts';
import type { Story } from './story.ts';

export interface Conversation {
  /** `ENTRA-14`; the file's name. */
  case: string;
  title: string;
  /** The public document, test file or issue that tells of it. */
  source: string;
  /** D vendor's document, T vendor's own test, W seen on the wire, S second-hand, I inferred. */
  grade: 'D' | 'T' | 'W' | 'S' | 'I';
  /** One line: what breaks in the client when this goes wrong. */
  why: string;
  /** The kind of directory it is played against; without it the folder tells. */
  kind?: 'entra' | 'okta' | 'generic';
  /** For recordings: how the story ends, person by person. */
  story?: Story;
  /** Sent with each request; a step's own headers win, null takes one away. */
  headers?: Record<string, string | null>;
  steps: Step[];
}

export interface Step {
  /** What happens, for a person who watches. */
  note?: string;
  /** Play it this often, `{{n}}` counting from 1; what it saves becomes a list. */
  repeat?: number;
  request: {
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    /** Below the SCIM base URL, spaces and quotes may stand as they are. */
    path: string;
    headers?: Record<string, string | null>;
    /** Sent as JSON; a text is sent as it is. */
    body?: Json;
  };
  expect: {
    status: number | number[];
    headers?: JsonObject;
    body?: Json;
    /** The client gives up after this time, or the vendor's test measures it. */
    withinMs?: number;
  };
  /** A name for later steps → the path of its value in the answer's body. */
  save?: Record<string, string>;
}

export interface SentRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** The parsed JSON, the text when it is none, undefined when there was no body. */
  body: Json | undefined;
}

export interface StepResult {
  /** From 1, of `total`. */
  number: number;
  total: number;
  note: string | undefined;
  /** How many requests were sent: more than one with `repeat`. The last one is shown. */
  times: number;
  request: SentRequest | undefined;
  answer: Answer | undefined;
  durationMs: number;
  /** Readable sentences; empty when all is as expected. */
  mismatches: string[];
}

export interface Playing {
  /** The URL an administrator gives to the identity provider, such as `http://127.0.0.1:8080/scim/v2`. */
  baseUrl: string;
  token: string;
  onStep?: (result: StepResult) => void | Promise<void>;
  /** Known from the start, besides `{{unique}}`. */
  variables?: Variables;
}

export async function readConversation(file: string | URL): Promise<Conversation> {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** Plays every step in order, also after a mismatch; a step that lacks a saved value is told and left out. */
export async function playConversation(conversation: Conversation, playing: Playing): Promise<StepResult[]> {
  const base = new URL(playing.baseUrl);
  const pool = new Pool(base.origin, { connections: repeatsAtOnce });
  const unique = randomBytes(4).toString('hex');
  const session: Session = {
    pool,
    basePath: base.pathname.replace(/\/$/, ''),
    headers: { authorization: `Bearer ${playing.token}`, ...lowerCased(conversation.headers) },
    variables: { unique, ...playing.variables },
  };
  const results: StepResult[] = [];
  try {
    for (const [index, step] of conversation.steps.entries()) {
      const played = await playStep(step, session);
      const result = {
        number: index + 1,
        total: conversation.steps.length,
        note: noteOf(step, session),
        ...played,
      };
      results.push(result);
      await playing.onStep?.(result);
    }
  } finally {
    await pool.close();
  }
  return results;
}

interface Session {
  pool: Pool;
  basePath: string;
  headers: Record<string, string | null>;
  variables: Variables;
}

type Played = Pick<StepResult, 'times' | 'request' | 'answer' | 'durationMs' | 'mismatches'>;

/** Repeated steps make the stage for bulk cases: their order doesn't matter, so some go at a time. */
const repeatsAtOnce = 8;
const mismatchesShownMax = 20;

async function playStep(step: Step, session: Session): Promise<Played> {
  const times = step.repeat ?? 1;
  const once: Played[] = new Array(times);
  let next = 0;
  const started = performance.now();
  const worker = async () => {
    for (let n = next++; n < times; n = next++)
      once[n] = await playOnce(step, { ...session.variables, n: n + 1 }, session);
  };
  await Promise.all(Array.from({ length: Math.min(times, repeatsAtOnce) }, worker));
  const mismatches = once.flatMap((played) => played.mismatches).slice(0, mismatchesShownMax);
  mismatches.push(...keep(step, once, session));
  const last = once[times - 1];
  return {
    times,
    request: last?.request,
    answer: last?.answer,
    durationMs: performance.now() - started,
    mismatches,
  };
}

async function playOnce(step: Step, variables: Variables, session: Session): Promise<Played> {
  const started = performance.now();
  let request: SentRequest | undefined;
  let answer: Answer | undefined;
  const mismatches: string[] = [];
  try {
    request = compose(step, variables, session);
    answer = await send(request, session);
    mismatches.push(...judge(step.expect, answer, performance.now() - started, variables));
  } catch (error) {
    if (!(error instanceof UnknownName)) throw error;
    mismatches.push(error.message);
  }
  return { times: 1, request, answer, durationMs: performance.now() - started, mismatches };
}

function compose(step: Step, variables: Variables, session: Session): SentRequest {
  const { method, path, body } = step.request;
  const headers: Record<string, string> = {};
  const defaults = body === undefined ? {} : { 'content-type': 'application/scim+json' };
  const merged = { ...defaults, ...session.headers, ...lowerCased(step.request.headers) };
  for (const [name, value] of Object.entries(merged)) {
    if (value === null || (name === 'content-type' && body === undefined)) continue;
    headers[name] = String(fill(value, variables));
  }
  const filled = body === undefined ? undefined : fill(body, variables);
  const text = filled === undefined || typeof filled === 'string' ? filled : JSON.stringify(filled);
  return { method, path: session.basePath + fillPath(path, variables), headers, body: text };
}

/** The path goes out byte for byte: `fetch` would drop a trailing `?` and add headers of its own. */
async function send(request: SentRequest, { pool }: Session): Promise<Answer> {
  const { method, path, headers, body } = request;
  const response = await pool.request({ method, path, headers, body: body ?? null });
  const text = await response.body.text();
  const flat = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
  return { status: response.statusCode, headers: Object.fromEntries(flat), body: parsed(text) };
}

function parsed(text: string): Json | undefined {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function judge(expect: Step['expect'], answer: Answer, durationMs: number, variables: Variables): string[] {
  const found: string[] = [];
  const allowed = [expect.status].flat();
  if (!allowed.includes(answer.status)) {
    found.push(
      `status: expected ${allowed.join(' or ')}, got ${answer.status} ${detailOf(answer)}`.trimEnd(),
    );
  }
  if (expect.withinMs !== undefined && durationMs > expect.withinMs) {
    found.push(`time: expected at most ${expect.withinMs} ms, took ${Math.round(durationMs)} ms`);
  }
  found.push(...differences(fill(expect.headers ?? {}, variables), answer.headers, 'headers'));
  if (expect.body !== undefined) found.push(...differences(fill(expect.body, variables), answer.body));
  return [...found, ...broken(answer, expect.headers?.['content-type'] !== undefined)];
}

function detailOf({ body }: Answer): string {
  return isObject(body) && typeof body.detail === 'string' ? `(${body.detail})` : '';
}

/** Stores what the step saves, and tells what was not there. */
function keep(step: Step, once: Played[], session: Session): string[] {
  return Object.entries(step.save ?? {}).flatMap(([name, path]) => {
    const values = once.flatMap((played) => pick(played.answer?.body, path) ?? []);
    const value = step.repeat === undefined ? pick(once[0]?.answer?.body, path) : values;
    if (value === undefined) return [`save: the answer has no ${path} to keep as ${name}`];
    session.variables[name] = value;
    return [];
  });
}

function noteOf(step: Step, session: Session): string | undefined {
  return step.note?.replace(/\{\{([\w.-]+)\}\}/g, (hole, name: string) =>
    String(session.variables[name] ?? hole),
  );
}

function lowerCased(headers: Record<string, string | null> = {}): Record<string, string | null> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
