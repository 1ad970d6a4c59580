/** The form of everything under `/api/v1`: JSON in, checked by the routes' schemas; problems out (RFC 9457). */

import { STATUS_CODES } from 'node:http';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import Type from 'typebox';
import { faultOf, statusOf } from '../http/error-fault.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { isStorable } from '../kernel/storable.ts';
import { dayPattern } from './day.ts';
import { closed, notBlank } from './schemas.ts';

export const problemType = 'application/problem+json; charset=utf-8';

interface FieldError {
  /** As the caller wrote it, with dots between the levels. */
  field: string;
  message: string;
}

/** A request that its route's schema refuses: each field that is wrong, the first of them as the fault's own. */
class FieldsFault extends Fault {
  readonly errors: readonly FieldError[];

  constructor(message: string, errors: readonly FieldError[]) {
    super('invalid', message, errors[0] === undefined ? {} : { field: errors[0].field });
    this.errors = errors;
  }
}

/** What a route without a query takes. */
const NoQuery = Type.Object({}, closed);

export function installProblems(scope: FastifyInstance): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parseJson(request, body, done),
  );
  scope.addHook('preValidation', async (request) => {
    const { params, query, body, routeOptions } = request;
    // No body says as much as an empty one: what is missing in it is told by its name, if anything is.
    if (body === undefined && routeOptions.schema?.body !== undefined) request.body = {};
    for (const part of [params, query, body]) refuseUnstorable(part);
  });
  scope.addHook('onRoute', (route) => {
    route.schema = { querystring: NoQuery, ...route.schema };
  });
  scope.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Response schemas are for readers; they drop nothing.
  scope.setSerializerCompiler(() => JSON.stringify);
  scope.setSchemaErrorFormatter(describe);
  scope.setErrorHandler(answerError);
  scope.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new Fault('not_found', `There is nothing at ${request.url.split('?')[0]}.`),
      request.id,
    ),
  );
}

/** An administrator who asks for a seat that is not there meets a state of things, not a bar: SCIM says 403. */
const statusHere = { ...statusOf, no_seat: 409 };

/** For `setErrorHandler`. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const fault = faultOf(error);
  if (fault === undefined) request.log.error({ err: error }, 'request failed');
  return sendProblem(reply, fault, request.id);
}

/** @param fault undefined: a mistake of ours. */
export function sendProblem(reply: FastifyReply, fault: Fault | undefined, requestId: string) {
  const status = fault === undefined ? 500 : statusHere[fault.code];
  if (fault?.retryAfterSeconds !== undefined) reply.header('retry-after', String(fault.retryAfterSeconds));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(status)
    .header('content-type', problemType)
    .serializer(JSON.stringify)
    .send({
      type: 'about:blank',
      title: STATUS_CODES[status],
      status,
      code: fault?.code ?? 'internal',
      detail: fault?.message ?? `Something went wrong here. Reference ${requestId}.`,
      ...(fault?.field === undefined ? {} : { field: fault.field }),
      ...(fault instanceof FieldsFault && fault.errors.length > 0 ? { errors: fault.errors } : {}),
      requestId,
    });
}

/** Text that no column can hold is refused wherever it stands, and so is what is nested too deep. */
function refuseUnstorable(value: unknown, depth = 0): void {
  if (typeof value === 'string' && !isStorable(value)) {
    throw new Fault('invalid', 'A text holds a character that can not be kept (NUL, or half of a pair).');
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth > limits.jsonDepthMax) {
    throw new Fault('invalid', `The body is nested deeper than ${limits.jsonDepthMax}.`);
  }
  for (const [name, inner] of Object.entries(value)) {
    refuseUnstorable(name, depth + 1);
    refuseUnstorable(inner, depth + 1);
  }
}

/** What a pattern or a format asks for, to people. */
const formTexts: Record<string, string> = {
  [notBlank]: 'must not be blank',
  [dayPattern]: 'must be a day, YYYY-MM-DD',
  'date-time': 'must be a time in ISO 8601',
};

/** All that is wrong with a request, in one sentence a field. */
function describe(found: FastifySchemaValidationError[], part: string): Fault {
  const problems = new Map<string, string[]>();
  for (const { keyword, instancePath, params, message = '' } of found) {
    const field = instancePath.slice(1).replaceAll('/', '.');
    const add = (name: string, text: string) => problems.set(name, [...(problems.get(name) ?? []), text]);
    const inside = (name: unknown) => (field === '' ? String(name) : `${field}.${name}`);
    if (keyword === 'required') {
      for (const name of listOf(params.requiredProperties)) add(inside(name), 'is missing');
    } else if (keyword === 'additionalProperties') {
      for (const name of listOf(params.additionalProperties)) add(inside(name), 'is not a field here');
    } else if (keyword === 'enum') {
      add(field, `must be one of ${listOf(params.allowedValues).join(', ')}`);
    } else if (keyword !== 'anyOf' && keyword !== 'boolean') {
      add(field, formTexts[String(params.pattern ?? params.format)] ?? message);
    }
  }
  const errors = [...problems].map(([field, texts]) => ({
    field,
    message: [...new Set(texts)].join(' or '),
  }));
  const sentences = errors.map(({ field, message }) => `"${field || part}" ${message}`);
  const text = sentences.length === 0 ? `The ${part} can't be read` : sentences.join('; ');
  // The whole body is no field.
  return new FieldsFault(
    `${text}.`,
    errors.filter(({ field }) => field !== ''),
  );
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
