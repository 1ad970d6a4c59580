/** What must hold of every answer, whatever was asked. */

import type { FuzzRequest } from './requests.ts';
import type { FuzzAnswer } from './wire.ts';
import { otherMark, type World } from './world.ts';

const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';
const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const bulkUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';
const knownMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Not HTTP as the server below the gateway takes it: it answers by itself, or closes. */
function isLoose({ method, target, headers, framing }: FuzzRequest): boolean {
  return (
    (framing !== 'whole' && framing !== 'chunked') ||
    !knownMethods.has(method) ||
    !/^\/[\x21-\x7e]*$/.test(target.path) ||
    headers.some(([, value]) => !/^[\t\x20-\x7e]*$/.test(value)) ||
    headTooLarge(target.path, headers)
  );
}

/** Node takes 16 KiB of head. */
function headTooLarge(path: string, headers: FuzzRequest['headers']): boolean {
  const length = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, path.length);
  return length > 15_500;
}

/** Everything that is wrong with the answer; none: the input is passed. */
export function breaches(
  request: FuzzRequest,
  answer: FuzzAnswer,
  { world, msMax }: { world: World; msMax: number },
): string[] {
  const found: string[] = [];
  const { status, ms } = answer;
  // A directory's token stands for no user (RFC 7644 §3.11).
  const isMe = status === 501 && /^\/scim\/v2\/me(?:[/?]|$)/i.test(request.target.path);
  if (status >= 500 && !isMe) found.push(`status ${status}`);
  if (ms > msMax) found.push(`took ${Math.round(ms)} ms`);
  const text = answer.body.toString('utf8');
  found.push(...leaks(request, text, world));
  if (isLoose(request)) return found;
  if (status === 0) return [...found, 'closed without an answer'];
  if (!/^[0-9a-f-]{36}$/.test(answer.headers.get('x-request-id') ?? '')) found.push('no x-request-id');
  if (request.caller === 'nobody' && status < 400) found.push(`status ${status} for nobody`);
  if (isForeign(request, world) && status < 400) found.push(`status ${status} for what another tenant has`);
  found.push(...bodyBreaches(request, answer, text));
  return found;
}

function leaks({ caller }: FuzzRequest, text: string, { tokens, secret }: World): string[] {
  const secrets = [...tokens.own, tokens.other, secret];
  const found = secrets.some((one) => text.includes(one)) ? ['repeats a secret'] : [];
  if (caller !== 'other' && text.includes(otherMark)) found.push("shows another tenant's resource");
  if (/node_modules|\.ts:\d+|FST_ERR|ECONN/.test(text)) found.push('shows what is inside');
  return found;
}

function isForeign({ caller, target, framing }: FuzzRequest, { other }: World): boolean {
  const { id, kind } = target;
  if (framing !== 'whole' || caller !== 'own' || id === undefined || kind === undefined) return false;
  return other.Users.includes(id) || other.Groups.includes(id);
}

function bodyBreaches(request: FuzzRequest, { status, headers, body }: FuzzAnswer, text: string): string[] {
  if (request.method === 'HEAD') return [];
  if (status === 204 || status === 304) return body.length === 0 ? [] : [`a body with ${status}`];
  // What is not below the base belongs to the admin API's form of errors.
  const isScim = /^\/scim\/v2(?:[/?]|$)/.test(request.target.path);
  const type = headers.get('content-type') ?? '';
  const wanted = isScim
    ? /^application\/scim\+json(?:;|$)/
    : /^application\/(?:problem\+|scim\+)?json(?:;|$)/;
  if (!wanted.test(type) && !(request.target.route === 'near miss' && !isScim && status < 400)) {
    return [`content type "${type}"`];
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [`a body that is no JSON with ${status}`];
  }
  if (status >= 400) return isScim ? errorBreaches(status, value) : [];
  return isScim ? resultBreaches(request, value) : [];
}

type Members = Record<string, unknown>;

function errorBreaches(status: number, value: unknown): string[] {
  const { schemas, status: told, detail, scimType } = Object(value) as Members;
  const found: string[] = [];
  if (!Array.isArray(schemas) || !schemas.includes(errorUrn)) found.push('an error without its schema');
  if (told !== String(status)) found.push(`"status" is ${JSON.stringify(told)} with ${status}`);
  if (typeof detail !== 'string' || detail.trim() === '') found.push('no detail');
  else if (/\[object |undefined\b.*undefined/.test(detail)) found.push(`detail: ${detail.slice(0, 200)}`);
  if (scimType !== undefined && typeof scimType !== 'string') found.push('scimType is no text');
  return found;
}

function resultBreaches({ target, method }: FuzzRequest, value: unknown): string[] {
  const members = Object(value) as Members;
  const schemas = Array.isArray(members.schemas) ? members.schemas : [];
  if (schemas.length === 0) return ['a result without schemas'];
  if (schemas.includes(listUrn)) return listBreaches(members, target);
  if (schemas.includes(bulkUrn))
    return Array.isArray(members.Operations) ? [] : ['a bulk answer without Operations'];
  if (target.kind !== undefined && (typeof members.id !== 'string' || members.id === '')) return ['no id'];
  if (
    method === 'GET' &&
    target.id !== undefined &&
    /^[0-9a-f-]{36}$/.test(target.id) &&
    members.id !== target.id
  ) {
    return ['another id than was asked for'];
  }
  return target.kind !== undefined && hasNothing(value) ? ['a null, "", {} or [] that is no value'] : [];
}

/** RFC 7644 §3.4.2.4; pages by cursor have no startIndex. */
function listBreaches(list: Members, { path, kind }: FuzzRequest['target']): string[] {
  const { totalResults, startIndex, itemsPerPage, Resources } = list;
  const found: string[] = [];
  const shown = Array.isArray(Resources) ? Resources.length : -1;
  const isByCursor =
    'nextCursor' in list || /[?&]cursor=?/i.test(path) || (/\.search/i.test(path) && !('startIndex' in list));
  const uncounted = isByCursor && totalResults === undefined ? shown : -1;
  const total = Number.isInteger(totalResults) ? Number(totalResults) : uncounted;
  if (shown === -1) found.push('a list without Resources');
  if (total < shown) found.push(`totalResults ${total} with ${shown} shown`);
  if (itemsPerPage !== shown) found.push(`itemsPerPage ${String(itemsPerPage)} with ${shown} shown`);
  if (!isByCursor && !(Number.isInteger(startIndex) && Number(startIndex) >= 1)) found.push('no startIndex');
  if (!isByCursor && shown > 0 && Number(startIndex) + shown - 1 > total) found.push('a page beyond the end');
  const counts = (path.split('?')[1] ?? '').split('&').filter((pair) => pair.startsWith('count='));
  const count = counts[0]?.slice('count='.length) ?? '';
  if (counts.length === 1 && /^\d{1,9}$/.test(count) && shown > Number(count)) {
    found.push(`${shown} shown where ${count} were asked for`);
  }
  const ids = Array.isArray(Resources) ? Resources.map((one) => Object(one).id) : [];
  if (new Set(ids).size !== ids.length) found.push('the same twice on one page');
  // The service's own description says by [] that there is none.
  if (kind !== undefined && shown > 0 && hasNothing(Resources))
    found.push('a null, "", {} or [] that is no value');
  return found;
}

function hasNothing(value: unknown): boolean {
  if (value === null || value === '') return true;
  if (typeof value !== 'object') return false;
  const inner = Object.values(value);
  return inner.length === 0 || inner.some(hasNothing);
}
