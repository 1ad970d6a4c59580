/** Recorded calls that wait to be written, bounded by number and by bytes. Pure but for its own memory. */

import { limits } from '../kernel/limits.ts';
import { type RecordedRequest, sizeOf } from './recorded-request.ts';

export class RequestQueue {
  #waiting: { record: RecordedRequest; bytes: number }[] = [];
  #bytes = 0;

  get size(): number {
    return this.#waiting.length;
  }

  /** false: there is no room, and it is not taken. */
  add(record: RecordedRequest): boolean {
    const bytes = sizeOf(record);
    const isFull =
      this.#waiting.length >= limits.recorderQueueEntriesMax ||
      this.#bytes + bytes > limits.recorderQueueBytesMax;
    if (isFull) return false;
    this.#waiting.push({ record, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** The oldest ones; they stay until they are removed. */
  batch(): RecordedRequest[] {
    const batch: RecordedRequest[] = [];
    let room = limits.recorderBatchBytesMax;
    for (const { record, bytes } of this.#waiting) {
      room -= bytes;
      if (batch.length > 0 && (room < 0 || batch.length === limits.recorderBatchEntriesMax)) break;
      batch.push(record);
    }
    return batch;
  }

  /** Puts them behind all others. */
  defer(records: readonly RecordedRequest[]): void {
    const late = new Set(records);
    const isLate = ({ record }: { record: RecordedRequest }) => late.has(record);
    const waiting = this.#waiting;
    this.#waiting = [...waiting.filter((one) => !isLate(one)), ...waiting.filter(isLate)];
  }

  remove(records: readonly RecordedRequest[]): void {
    const gone = new Set(records);
    this.#waiting = this.#waiting.filter(({ record }) => !gone.has(record));
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
