/** One call of an identity provider as it is kept: what is left of it once its secrets are gone. Pure. */

import type { DirectoryId, TenantId } from '../kernel/ids.ts';
import { isObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import { toStorable } from '../kernel/storable.ts';
import { redactJson, withoutEcho } from './redact.ts';
import { redactPath, redactQuery } from './redact-query.ts';
import { type Findings, withoutTokens } from './secret-names.ts';

/** In the columns' words, times as ISO 8601. */
export interface RecordedRequest {
  tenantId: TenantId;
  id: string;
  at: string;
  directory_id: DirectoryId;
  token_id: string;
  request_id: string;
  method: string;
  path: string;
  query: string;
  user_agent: string | null;
  request_body: string | null;
  status: number;
  response_body: string | null;
  duration_ms: number;
  subject: string | null;
  truncated: boolean;
}

/** A call as the HTTP server saw it. */
export interface Call {
  tenantId: TenantId;
  id: string;
  at: Date;
  directoryId: DirectoryId;
  tokenId: string;
  requestId: string;
  method: string;
  /** Path and query. */
  url: string;
  userAgent: string | null;
  /** Parsed; undefined: there was none, or it was not read. */
  body: unknown;
  /** Bytes that were announced; null: there was no body. */
  bodyBytes: number | 'unknown' | null;
  status: number;
  /** Before it became text; undefined: none. */
  answer: unknown;
  isAnswerStreamed: boolean;
  durationMs: number;
  subject: string | null;
}

export function recordOf(call: Call): RecordedRequest {
  const findings: Findings = [];
  const at = call.url.indexOf('?');
  const [path, query] = at === -1 ? [call.url, ''] : [call.url.slice(0, at), call.url.slice(at + 1)];
  const safeQuery = redactQuery(query, findings);
  const request = requestBody(call, findings);
  const response = responseBody(call, findings);
  const agent = call.userAgent;
  return {
    tenantId: call.tenantId,
    id: call.id,
    at: call.at.toISOString(),
    directory_id: call.directoryId,
    token_id: call.tokenId,
    request_id: call.requestId,
    method: call.method,
    path: toStorable(redactPath(path)),
    query: toStorable(safeQuery),
    user_agent: agent === null ? null : toStorable(withoutTokens(agent)),
    request_body: request.text,
    status: call.status,
    response_body: response.text,
    duration_ms: Math.round(call.durationMs * 10) / 10,
    subject: call.subject,
    truncated: request.isTruncated || response.isTruncated,
  };
}

interface Body {
  text: string | null;
  isTruncated: boolean;
}

/** What is no JSON object may hold a secret anywhere: only its size is kept. */
function requestBody({ body, bodyBytes, status }: Call, findings: Findings): Body {
  if (isObject(body)) return storable(redactJson(body, limits.recordedBodyBytesMax, findings));
  if (body === undefined && bodyBytes === null) return { text: null, isTruncated: false };
  const size = typeof bodyBytes === 'number' ? `, ${bodyBytes} bytes` : '';
  // Of the refusals only that of a body that can't be read comes behind reading it.
  const isRead = body !== undefined || status === 400;
  return { text: `[${isRead ? 'no JSON object' : 'not read'}${size}]`, isTruncated: false };
}

function responseBody(call: Call, findings: Findings): Body {
  if (call.isAnswerStreamed) return { text: '[streamed]', isTruncated: false };
  if (call.answer === undefined) return { text: null, isTruncated: false };
  const isBodyUnread = call.bodyBytes !== null && !isObject(call.body);
  const answer = call.status >= 400 ? withoutEcho(call.answer, findings, isBodyUnread) : call.answer;
  return storable(redactJson(answer, limits.recordedBodyBytesMax, findings));
}

function storable({ text, isTruncated }: { text: string; isTruncated: boolean }): Body {
  return { text: toStorable(text), isTruncated };
}

/** About what it takes in memory. */
export function sizeOf({ path, query, user_agent, request_body, response_body }: RecordedRequest): number {
  const texts = [path, query, user_agent, request_body, response_body];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 500);
}
