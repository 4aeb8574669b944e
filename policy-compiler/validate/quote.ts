import { quote } from "#identity/encoding/quote";

/** `found` for a message: the text in backticks, or words when there is none to show. */
export function found(text: string): string {
  return text === "" ? "found empty text" : `found ${quote(text)}`;
}
