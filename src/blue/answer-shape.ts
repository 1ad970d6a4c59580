/** Reads what Blue answered, field by field, without trusting it: a wrong shape is a ShapeError that names the place. */

export class ShapeError extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ShapeError(`${where} is not an object`);
  }
  return value as Fields;
}

export function listOf<T>(value: unknown, where: string, one: (fields: Fields) => T): T[] {
  if (!Array.isArray(value)) throw new ShapeError(`${where} is not a list`);
  return value.map((item) => one(fieldsOf(item, `an element of ${where}`)));
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new ShapeError(`${name} is not a string`);
  return value;
}

/** Null where the field is null or missing. */
export function optionalTextOf(fields: Fields, name: string): string | null {
  return fields[name] == null ? null : textOf(fields, name);
}

export function numberOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number') throw new ShapeError(`${name} is not a number`);
  return value;
}

export function dateOf(fields: Fields, name: string): Date {
  const date = new Date(textOf(fields, name));
  if (Number.isNaN(date.getTime())) throw new ShapeError(`${name} is not a time`);
  return date;
}

/** One of a closed list of words. */
export function wordOf<T extends string>(fields: Fields, name: string, words: readonly T[]): T {
  const value = textOf(fields, name);
  const word = words.find((one) => one === value);
  if (word === undefined) throw new ShapeError(`${name} is "${value}", not one of ${words.join(', ')}`);
  return word;
}
