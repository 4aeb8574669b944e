import { type FetchOptions, type FetchRefused, type FetchSettings, fetchBytes } from "./fetch-bytes.ts";

export type FetchedDocument =
  | { readonly ok: true; readonly text: string; readonly maxAgeSeconds?: number }
  | FetchRefused;

/** `fetchBytes` for a document of text: UTF-8. */
export async function fetchDocument(
  uri: string,
  settings: FetchSettings,
  { timeoutMillis, signal }: Pick<FetchOptions, "timeoutMillis" | "signal">,
): Promise<FetchedDocument> {
  const fetched = await fetchBytes(uri, settings, { timeoutMillis, signal, accept: "application/json" });
  if (!fetched.ok) return fetched;
  const text = fetched.bytes && decode(fetched.bytes);
  if (text === undefined) return { ok: false, fault: { code: "fetch/text", message: "the document is not UTF-8" } };
  const { maxAgeSeconds } = fetched;
  return { ok: true, text, ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }) };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark stays: whether it may stand there is for whoever reads the text.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
