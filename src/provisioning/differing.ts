/** People whose decisions are not what they should be, packed: half a million are read one by one out of 14 MB. Pure. */

import type { UserId } from '../kernel/ids.ts';

export interface Person {
  userId: UserId;
  /** Of the mappings that name the person: equal where the same do. */
  print: string;
  /** No pin, no second of an address, nobody left alone, nothing said of the claim. */
  isCommon: boolean;
}

/** Of each in turn: the id, the print, 1 or 0, and a priority. */
const bytes = { id: 16, print: 8, isCommon: 1, priority: 4 };
const bytesEach = bytes.id + bytes.print + bytes.isCommon + bytes.priority;

/** In place of a priority: the person claims no other seat than the one that is there. */
export const noClaim = 2 ** 31 - 1;
/** It can't be told by the mappings alone. */
export const unknownPriority = -1;

function* differingPeople(packed: Buffer): Generator<Person> {
  for (let at = 0; at < packed.length; at += bytesEach) {
    const printAt = at + bytes.id;
    const commonAt = printAt + bytes.print;
    yield {
      userId: idOf(packed.toString('hex', at, printAt)),
      print: packed.toString('latin1', printAt, commonAt),
      isCommon: packed[commonAt] === 1,
    };
  }
}

/**
 * How many may come to claim a seat that they don't have, by the best priority at which each may. Everybody who may is counted, and
 * nobody claims at a better one: sure-flow.ts gives seats by it.
 */
export function claimsOf(differing: readonly Buffer[]): Map<number, number> {
  const claims = new Map<number, number>();
  for (const packed of differing) {
    for (let at = bytesEach - bytes.priority; at < packed.length; at += bytesEach) {
      const priority = packed.readInt32BE(at);
      if (priority !== noClaim) claims.set(priority, (claims.get(priority) ?? 0) + 1);
    }
  }
  return claims;
}

function idOf(hex: string): UserId {
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-') as UserId;
}

/** Cuts them into parts of at most so many people; those whose case is not the common one go to `others`. */
export function* partsOf(differing: readonly Buffer[], most: number, others: UserId[]): Generator<Person[]> {
  let part: Person[] = [];
  for (const person of differing.values().flatMap(differingPeople)) {
    if (person.isCommon) part.push(person);
    else others.push(person.userId);
    if (part.length < most) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
