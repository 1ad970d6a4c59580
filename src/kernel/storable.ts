/** What text the database can keep. */

/** Whether PostgreSQL and JSON can both hold the text: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
