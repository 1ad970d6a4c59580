/**
 * Performs a Bulk request, each operation by itself. The ids of what is to be made are settled first, so that
 * references lead forwards and in circles; what others refer to is made before them where that is possible.
 * RFC 7644 §3.7.
 */

import { Fault, invalid } from '../kernel/fault.ts';
import { newId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type BulkOperation, type BulkRequest, referencesOf, resolveReferences } from './core/bulk.ts';
import { type Asking, perform, type ScimAnswer } from './resource-flow.ts';

export type BulkResult =
  | { readonly kind: 'done'; readonly operation: BulkOperation; readonly answer: ScimAnswer }
  | {
      readonly kind: 'failed';
      readonly method: string;
      readonly bulkId: string | undefined;
      /** Of what was to be changed. */
      readonly location: string | undefined;
      readonly error: unknown;
    };

/** The results in the order of the request, up to where `failOnErrors` ended it. */
export async function performBulk(asking: Asking, request: BulkRequest): Promise<readonly BulkResult[]> {
  return await new BulkRun(asking, request).run();
}

class BulkRun {
  readonly #asking: Asking;
  readonly #request: BulkRequest;
  readonly #results = new Map<number, BulkResult>();
  /** What POSTs make: where they stand in the request, and the id they will have. */
  readonly #made = new Map<string, { index: number; id: string; type: 'User' | 'Group' }>();
  readonly #underWay = new Set<number>();
  #errors = 0;

  constructor(asking: Asking, request: BulkRequest) {
    this.#asking = asking;
    this.#request = request;
    request.operations.forEach((one, index) => {
      if (one.kind !== 'operation' || one.operation.method !== 'POST') return;
      const { bulkId, type } = one.operation;
      if (bulkId !== undefined) this.#made.set(bulkId, { index, id: newId(asking.door.now.getTime()), type });
    });
  }

  async run(): Promise<readonly BulkResult[]> {
    for (const index of this.#request.operations.keys()) {
      if (this.#isEnded()) break;
      await this.#perform(index);
    }
    await this.#takeBackDangling();
    return [...this.#results].sort(([a], [b]) => a - b).map(([, result]) => result);
  }

  #isEnded(): boolean {
    const { failOnErrors } = this.#request;
    return failOnErrors !== undefined && this.#errors >= failOnErrors;
  }

  async #perform(index: number): Promise<void> {
    const read = this.#request.operations[index];
    if (read === undefined || this.#results.has(index) || this.#underWay.has(index)) return;
    if (read.kind === 'refused') {
      this.#fail(index, read.method, read.bulkId, undefined, read.fault);
      return;
    }
    const { operation } = read;
    this.#underWay.add(index);
    try {
      await this.#performReferred(operation);
      if (this.#isEnded()) return;
      // What was made is not shown, and would be kept to the end for each of the operations.
      const answer = { ...(await this.#performOne(operation)), content: { kind: 'none' } } as const;
      this.#results.set(index, { kind: 'done', operation, answer });
    } catch (error) {
      this.#fail(index, operation.method, operation.bulkId, this.#locationOf(operation), error);
    } finally {
      this.#underWay.delete(index);
    }
  }

  #fail(
    index: number,
    method: string,
    bulkId: string | undefined,
    location: string | undefined,
    error: unknown,
  ): void {
    this.#errors += 1;
    this.#results.set(index, { kind: 'failed', method, bulkId, location, error });
  }

  /** A user's groups are read-only: what is said of them there is no reason to make one first. */
  async #performReferred(operation: BulkOperation): Promise<void> {
    for (const bulkId of referencesOf(operation)) {
      const target = this.#made.get(bulkId);
      if (target === undefined) throw unknownReference(bulkId);
      const isNeeded = operation.type === 'Group' || target.type === 'User' || operation.id !== undefined;
      if (!isNeeded || this.#isEnded()) continue;
      await this.#perform(target.index);
      if (this.#results.get(target.index)?.kind === 'failed') throw failedReference(bulkId);
    }
  }

  async #performOne(operation: BulkOperation): Promise<ScimAnswer> {
    const { method, type, id, bulkId, version, data } = operation;
    const idOf = (reference: string) => this.#made.get(reference)?.id;
    const answer = await perform(this.#asking, {
      method,
      type,
      id: method === 'POST' ? idOf(bulkId ?? '') : String(resolveReferences(id, idOf)),
      query: {},
      body: resolveReferences(data, idOf),
      conditions: { ifMatch: version },
    });
    // A repeated request is answered with what the first one made: that is whom others refer to.
    const made = method === 'POST' ? this.#made.get(bulkId ?? '') : undefined;
    if (made !== undefined) made.id = answer.id;
    return answer;
  }

  #locationOf({ method, type, id }: BulkOperation): string | undefined {
    if (method === 'POST' || id === undefined) return undefined;
    const found = resolveReferences(id, (reference) => this.#made.get(reference)?.id);
    return `${this.#asking.baseUrl}/${type}s/${found}`;
  }

  /** In a circle somebody is made before whom it refers to; should that fail, what was made here is taken back. */
  async #takeBackDangling(): Promise<void> {
    for (let isStable = false; !isStable; ) {
      isStable = true;
      for (const [index, result] of this.#results) {
        if (result.kind !== 'done' || result.operation.method !== 'POST') continue;
        const { operation, answer } = result;
        const missing = [...referencesOf(operation)].find((bulkId) => this.#isMissing(bulkId));
        if (missing === undefined) continue;
        const problem = await this.#takeBack(operation, answer.id);
        const error = problem ?? failedReference(missing);
        this.#fail(index, operation.method, operation.bulkId, undefined, error);
        // Whoever refers to this one is next.
        isStable = false;
      }
    }
  }

  /** Answers why it may still be there; who is gone already needs no deletion. */
  async #takeBack({ type }: BulkOperation, id: string): Promise<unknown> {
    const call = { method: 'DELETE', type, id, query: {}, body: undefined, conditions: {} } as const;
    try {
      await perform(this.#asking, call);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'not_found') return error;
    } finally {
      this.#asking.creations.abandon(id);
    }
    return undefined;
  }

  #isMissing(bulkId: string): boolean {
    const target = this.#made.get(bulkId);
    return target?.type === 'User' && this.#results.get(target.index)?.kind !== 'done';
  }
}

function unknownReference(bulkId: string): Fault {
  const text = `No operation of this request makes "bulkId:${bulkId.slice(0, 100)}".`;
  return invalid('invalidValue', text, 'data');
}

function failedReference(bulkId: string): Fault {
  return new Fault('conflict', `It refers to "bulkId:${bulkId.slice(0, 100)}", which was not made.`);
}

/** Ids of what was made. */
export function createdIds(results: readonly BulkResult[]): string[] {
  return results.flatMap((result) =>
    result.kind === 'done' && result.operation.method === 'POST' ? [result.answer.id] : [],
  );
}

/** RFC 7644 §3.7.3. @param describe The body of an error, with its status. */
export function bulkOperations(
  results: readonly BulkResult[],
  describe: (error: unknown) => { status: number; body: JsonObject },
): JsonObject[] {
  return results.map((result) => {
    if (result.kind === 'done') {
      const { operation, answer } = result;
      return {
        method: operation.method,
        ...(operation.bulkId === undefined ? {} : { bulkId: operation.bulkId }),
        ...(answer.version === undefined ? {} : { version: answer.version }),
        location: answer.location,
        status: String(answer.status),
      };
    }
    const { method, bulkId, location, error } = result;
    const { status, body } = describe(error);
    return {
      method,
      ...(bulkId === undefined ? {} : { bulkId }),
      ...(location === undefined ? {} : { location }),
      status: String(status),
      response: body,
    };
  });
}
