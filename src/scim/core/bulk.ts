/**
 * Reads a Bulk request: its operations, and which of them refer to resources that others of them make. It performs
 * nothing. RFC 7644 §3.7.
 */

import { Fault, invalid } from '../../kernel/fault.ts';
import { isObject } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import { urns } from './urns.ts';
import { memberOf, readBody } from './validate.ts';

export type BulkMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface BulkOperation {
  readonly method: BulkMethod;
  readonly type: 'User' | 'Group';
  /** Of the path; `bulkId:…` where it names what another operation makes. */
  readonly id: string | undefined;
  readonly bulkId: string | undefined;
  readonly version: string | undefined;
  readonly data: unknown;
}

/** An operation, or why it can't be one: the others are performed all the same. */
export type ReadOperation =
  | { readonly kind: 'operation'; readonly operation: BulkOperation }
  | {
      readonly kind: 'refused';
      readonly method: string;
      readonly bulkId: string | undefined;
      readonly fault: Fault;
    };

export interface BulkRequest {
  readonly operations: readonly ReadOperation[];
  /** Errors after which the rest is left; undefined: never. */
  readonly failOnErrors: number | undefined;
}

/**
 * @throws Fault `invalidSyntax` for a body that is no BulkRequest, `invalidValue` for a bulkId that stands twice;
 *   `too_large`.
 */
export function readBulk(body: unknown): BulkRequest {
  const source = readBody(body);
  const schemas = memberOf(source, 'schemas');
  const isBulk = (urn: unknown) => String(urn).toLowerCase() === urns.bulkRequest.toLowerCase();
  if (!Array.isArray(schemas) || !schemas.some(isBulk)) {
    throw invalid('invalidSyntax', `"schemas" must hold ${urns.bulkRequest}.`, 'schemas');
  }
  const sent = memberOf(source, 'operations');
  if (!Array.isArray(sent)) throw invalid('invalidSyntax', '"Operations" must be an array.', 'Operations');
  if (sent.length > limits.bulkOperationsMax) {
    throw new Fault(
      'too_large',
      `At most ${limits.bulkOperationsMax} operations are accepted in one Bulk request: send several.`,
    );
  }
  const operations = sent.map(readOperation);
  refuseTwins(operations);
  return { operations, failOnErrors: readFailOnErrors(memberOf(source, 'failonerrors')) };
}

function readFailOnErrors(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value);
  throw invalid('invalidValue', '"failOnErrors" must be a whole number from 1.', 'failOnErrors');
}

function refuseTwins(operations: readonly ReadOperation[]): void {
  const seen = new Set<string>();
  for (const one of operations) {
    const bulkId =
      one.kind === 'operation' && one.operation.method === 'POST' ? one.operation.bulkId : undefined;
    if (bulkId === undefined) continue;
    if (seen.has(bulkId))
      throw invalid('invalidValue', `The bulkId "${bulkId.slice(0, 100)}" stands twice.`, 'bulkId');
    seen.add(bulkId);
  }
}

const methods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const pathForm = /^\/?(Users|Groups)(?:\/([^/?#]+))?\/?$/i;
/** Characters of a bulkId. */
const bulkIdLengthMax = 256;

function readOperation(value: unknown, index: number): ReadOperation {
  const source = isObject(value) ? value : {};
  const method = String(memberOf(source, 'method') ?? '').toUpperCase();
  const sentId = memberOf(source, 'bulkid');
  const bulkId = typeof sentId === 'string' && sentId !== '' ? sentId : undefined;
  const refuse = (problem: string): ReadOperation => {
    const fault = invalid('invalidSyntax', `Operations[${index}] ${problem}.`, `Operations[${index}]`);
    return { kind: 'refused', method: method.slice(0, 10), bulkId: bulkId?.slice(0, bulkIdLengthMax), fault };
  };
  if (!methods.has(method)) return refuse('needs a method: POST, PUT, PATCH or DELETE');
  const path = memberOf(source, 'path');
  const [, endpoint, id] = pathForm.exec(typeof path === 'string' ? path : '') ?? [];
  if (endpoint === undefined)
    return refuse('needs a path: /Users or /Groups, with the id behind it unless it is a POST');
  if ((method === 'POST') !== (id === undefined)) {
    return refuse(method === 'POST' ? 'is a POST and takes no id in its path' : 'needs an id in its path');
  }
  if (bulkId !== undefined && bulkId.length > bulkIdLengthMax) return refuse('has a bulkId that is too long');
  if (method === 'POST' && bulkId === undefined) return refuse('is a POST and needs a bulkId');
  const version = memberOf(source, 'version');
  return {
    kind: 'operation',
    operation: {
      method: method as BulkMethod,
      type: endpoint.toLowerCase() === 'users' ? 'User' : 'Group',
      id,
      bulkId,
      version: typeof version === 'string' ? version : undefined,
      data: memberOf(source, 'data'),
    },
  };
}

const prefix = 'bulkId:';

/** The bulkId that a text refers to, as a whole: `bulkId:qwerty`. */
export function referenceIn(text: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** A PATCH names members in its path: `members[value eq "bulkId:qwerty"]`. */
const quoted = /"bulkId:([^"\\]+)"/g;

/** Every bulkId that an operation refers to, in its path and in its data. */
export function referencesOf({ id, data }: BulkOperation): ReadonlySet<string> {
  const found = new Set<string>();
  resolveReferences([id, data], (bulkId) => {
    found.add(bulkId);
    return undefined;
  });
  return found;
}

/** The same data with the ids in the place of references; what `idOf` does not know stays as it is. */
export function resolveReferences(data: unknown, idOf: (bulkId: string) => string | undefined): unknown {
  if (typeof data === 'string') {
    const whole = referenceIn(data);
    if (whole !== undefined) return idOf(whole) ?? data;
    return data.includes('"bulkId:')
      ? data.replace(quoted, (text, bulkId) => quote(idOf(bulkId)) ?? text)
      : data;
  }
  if (Array.isArray(data)) return data.map((value) => resolveReferences(value, idOf));
  if (!isObject(data)) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, resolveReferences(value, idOf)]),
  );
}

function quote(id: string | undefined): string | undefined {
  return id === undefined ? undefined : `"${id}"`;
}
