/** The key under which text is compared without regard to case (RFC 7643 §2.2 `caseExact: false`). */
export function fold(text: string): string {
  return text.toLowerCase();
}
