/** The failures a test can order from the double, and the queue they wait in; it knows nothing of HTTP or GraphQL. */

import type { BlueCode } from './errors.ts';

/** Met before GraphQL runs, for the whole request. */
export type TransportFault =
  /** HTTP 429 with a plain JSON body and the X-RateLimit headers. */
  | { kind: 'tier'; retryAfterSeconds: number }
  /** The request is read and never answered. */
  | { kind: 'hang' }
  /** As `hang`, but the mutations were carried out. */
  | { kind: 'lost_answer' }
  | { kind: 'html'; status: number }
  /** The answer comes whole, and an error stands beside the data. */
  | { kind: 'partial'; code: BlueCode | 'INTERNAL_SERVER_ERROR' };

/** Met by one root field. */
export type FieldFault =
  | { kind: 'refuse'; code: BlueCode }
  | { kind: 'plan_cools_down'; cooldownEndsAt: Date }
  | { kind: 'seats_full' }
  /** Something breaks inside Blue; the caller sees the masked error. */
  | { kind: 'internal' };

export type Fault = TransportFault | FieldFault;

interface Ordered {
  readonly fault: Fault;
  /** A root field's name; undefined means any. */
  readonly operation: string | undefined;
  left: number;
}

const transportKinds: ReadonlySet<Fault['kind']> = new Set([
  'tier',
  'hang',
  'lost_answer',
  'html',
  'partial',
]);

function isTransport(fault: Fault): fault is TransportFault {
  return transportKinds.has(fault.kind);
}

export class Faults {
  readonly #ordered: Ordered[] = [];

  /** The next `times` requests (or, for a field fault, fields) named `operation` meet the fault. */
  order(fault: Fault, { operation, times = 1 }: { operation?: string; times?: number } = {}): void {
    this.#ordered.push({ fault, operation, left: times });
  }

  clear(): void {
    this.#ordered.length = 0;
  }

  takeTransport(fields: readonly string[]): TransportFault | undefined {
    const fault = this.#take((one) => isTransport(one.fault) && this.#names(one, fields));
    return fault !== undefined && isTransport(fault) ? fault : undefined;
  }

  takeField(field: string): FieldFault | undefined {
    const fault = this.#take((one) => !isTransport(one.fault) && this.#names(one, [field]));
    return fault !== undefined && !isTransport(fault) ? fault : undefined;
  }

  #names(one: Ordered, fields: readonly string[]): boolean {
    return one.operation === undefined || fields.includes(one.operation);
  }

  #take(matches: (one: Ordered) => boolean): Fault | undefined {
    const one = this.#ordered.find((candidate) => candidate.left > 0 && matches(candidate));
    if (one === undefined) return undefined;
    one.left -= 1;
    return one.fault;
  }
}
