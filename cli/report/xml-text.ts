/** Text without the characters that no XML 1.0 document can hold (§2.2), each replaced. Markup is escaped by who writes it. */
export function xmlText(text: string): string {
  return text.toWellFormed().replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}");
}
