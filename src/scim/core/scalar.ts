/** Reads single values that clients write in more than one way: dateTimes and booleans. RFC 7643 §2.3.2, §2.3.5. */

const pattern = /^(?!0000)(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d)(\.\d{1,30})?(Z|[ +-](?:0\d|1[0-4]):[0-5]\d)?$/i;

/**
 * The instant as `YYYY-MM-DDTHH:mm:ss.sssZ`, or undefined when `text` is no dateTime. Without an offset it is UTC.
 * Entra's Postman collection sends seven digits of fraction (with a hundred PostgreSQL reads no instant any more), and a `+` that nobody escaped in a query has become a
 * space.
 */
export function readInstant(text: string): string | undefined {
  const parts = pattern.exec(text);
  if (parts === null) return undefined;
  const [, date = '', time = '', fraction = '', offset = 'Z'] = parts;
  const ms = Date.parse(`${date}${time}${fraction.slice(0, 4)}${offset.replace(' ', '+')}`);
  if (Number.isNaN(ms) || !isDay(date)) return undefined;
  // An offset can lead out of the years that have four digits.
  const instant = new Date(ms).toISOString();
  return /^(?!0000)\d{4}-/.test(instant) ? instant : undefined;
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

/** Whether a dateTime says its zone, so that it means the same everywhere. */
export function hasZone(text: string): boolean {
  return /(?:Z|[+-]\d\d:\d\d)$/i.test(text);
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/** Entra's default dialect and OneLogin's templates send "True" and "false" as text (ENTRA-18, ENTRA-30, ENTRA-31). */
export function readBoolean(text: string): boolean | undefined {
  return booleans.get(text.toLowerCase());
}
