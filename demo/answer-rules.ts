/**
 * What every SCIM answer must be, whatever the request: so that fixtures only say what is special to their case.
 * RFC 7644 §3.1 (media type), §3.4.2 (lists), §3.12 (errors).
 */

import type { Answer } from './conversation.ts';
import { differences, isObject, type JsonObject } from './matcher.ts';

const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** The rules that `answer` breaks, in sentences. `typeTold`: the fixture itself says which content type it wants. */
export function broken(answer: Answer, typeTold: boolean): string[] {
  const { status, headers, body } = answer;
  if (body === undefined) return status === 204 ? [] : [`body: expected one with status ${status}, got none`];
  if (status === 204) return ['body: expected none with status 204'];
  const found = typeTold
    ? []
    : differences({ 'content-type': { $contains: 'application/scim+json' } }, headers, 'headers');
  if (!isObject(body)) return [...found, 'body: expected a JSON object'];
  if (status >= 400) return [...found, ...differences(errorOf(status), body)];
  return differences({ $contains: listUrn }, body.schemas).length === 0
    ? [...found, ...listFaults(body)]
    : found;
}

/** Clients compare `status` as text and show `detail` to their administrator. */
function errorOf(status: number): JsonObject {
  return { schemas: { $contains: errorUrn }, status: String(status), detail: { $string: true } };
}

function listFaults(body: JsonObject): string[] {
  const resources = body.Resources;
  const shown = Array.isArray(resources) ? resources.length : 0;
  const numbers = differences({ totalResults: { $atLeast: shown }, startIndex: { $atLeast: 1 } }, body);
  // E1's own sample of an empty list says 20; a real page must tell what it holds (RFC 7644 §3.4.2.4).
  return [...numbers, ...differences({ itemsPerPage: shown }, body)];
}
