/** Every error that can reach a route's error handler, as a Fault; and the HTTP status of each fault. */

import type { FastifyError } from 'fastify';
import { Fault, type FaultCode } from '../kernel/fault.ts';

export const statusOf: Record<FaultCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  no_seat: 403,
  above_breaker: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  not_implemented: 501,
  unavailable: 503,
};

/** Seconds after which a call is worth repeating when the database did not answer, or had to choose between writers. */
const databaseRetrySeconds = 5;

/** undefined: a mistake of ours, to be answered as 500 and logged. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (!(error instanceof Error)) return undefined;
  if (isDatabaseAway(error)) {
    return new Fault(
      'unavailable',
      'The database does not answer: it is not certain that anything was changed. Try again shortly.',
      {
        retryAfterSeconds: databaseRetrySeconds,
        cause: error,
      },
    );
  }
  if (isContended(error)) {
    return new Fault('unavailable', 'Others change the same: nothing was changed here. Try again shortly.', {
      retryAfterSeconds: databaseRetrySeconds,
      cause: error,
    });
  }
  return faultOfFastify(error as FastifyError);
}

/** A deadlock or serialization failure that was met again each time the transaction was tried. */
function isContended({ code }: Error & { code?: unknown }): boolean {
  return code === '40P01' || code === '40001';
}

function faultOfFastify({ statusCode, code, message }: FastifyError): Fault | undefined {
  switch (statusCode) {
    case 413:
      return new Fault('too_large', 'The body is larger than is accepted here: send less at a time.');
    case 415:
      return new Fault('unsupported_media_type', 'Send the body as JSON, and say so in Content-Type.');
    case 400: {
      const isBody = code === undefined || code.startsWith('FST_ERR_CTP');
      const text = isBody ? `The body is no valid JSON (${message}).` : `${message}.`;
      return new Fault('invalid', text, isBody ? { scimType: 'invalidSyntax' } : {});
    }
    default:
      return undefined;
  }
}

/**
 * Connection failures of pg; PostgreSQL's classes 08 (connection), 28 (log-in), 53 (resources) and 57P0 (shutdown),
 * and 25006 (a standby), 3D000 (no such database), 57014 (out of time).
 */
function isDatabaseAway(error: Error & { code?: unknown }): boolean {
  const { code, message } = error;
  if (typeof code === 'string') {
    return (
      /^(08|28|53|57P0|25006|3D000|57014)/.test(code) ||
      ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND'].includes(code)
    );
  }
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered)/.test(
    message,
  );
}
