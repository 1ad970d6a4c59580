/** People whose decisions are not what they should be, packed: half a million are read one by one out of 12 MB. Pure. */

import type { UserId } from '../kernel/ids.ts';

export interface Person {
  userId: UserId;
  /** Of the mappings that name the person: equal where the same do. */
  print: string;
  /** No pin, no second of an address, nobody left alone, nothing said of the claim. */
  isCommon: boolean;
}

/** Of each in turn: the id, the print, and 1 or 0. */
const bytes = { id: 16, print: 8, all: 25 };

function* differingPeople(packed: Buffer): Generator<Person> {
  for (let at = 0; at < packed.length; at += bytes.all) {
    const printAt = at + bytes.id;
    yield {
      userId: idOf(packed.toString('hex', at, printAt)),
      print: packed.toString('latin1', printAt, printAt + bytes.print),
      isCommon: packed[at + bytes.all - 1] === 1,
    };
  }
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
