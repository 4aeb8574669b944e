import { isUtf8 } from "node:buffer";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { answerFault, isClientStatus } from "./answer-fault.ts";
import { type CheckAnswer, type HeaderEdit, PERMISSION_DENIED } from "./check-answer.ts";
import { ReverseWriter } from "./reverse-writer.ts";

const FORBIDDEN = 403;

/** `HeaderAppendAction`. */
const APPEND_IF_EXISTS_OR_ADD = 0;
const ADD_IF_ABSENT = 1;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;
const OVERWRITE_IF_EXISTS = 3;

/** Nearly every answer fits; the writer grows for the others. */
const USUAL_ANSWER_BYTES = 16 * 1024;

const writer = new ReverseWriter(USUAL_ANSWER_BYTES);

/**
 * Writes an `envoy.service.auth.v3.CheckResponse`. Never throws, and fails towards refusal: an allowing answer that cannot be
 * written as it stands (`answerFault`) becomes a bare denial, a denying one a denial without headers, body and metadata, and a
 * denial whose code is none gets PERMISSION_DENIED, for 0 would allow.
 *
 * The wire holds valid UTF-8 only, because Envoy takes anything else for an error of the check: body and metadata are text; a header
 * value, which is a byte string, goes out byte for byte if its bytes are UTF-8, else with every byte beyond ASCII percent-encoded.
 *
 * Every Envoy reads every header the same way: `append`, which older ones obey, and `append_action`, which newer ones do, are both
 * written out and agree; `keep_empty_value` keeps what we assert to be empty. Three exceptions. `onlyIf` has an `append_action` alone. Of a denial's headers Envoy drops those
 * with `append: true`, and keeps every line of a name without it. Of a response's headers with several lines (`add`) every line is
 * appended, to the upstream's own: Envoy cannot replace those by more than one line.
 */
export function encodeCheckResponse(answer: CheckAnswer): Uint8Array {
  if (answerFault(answer) !== undefined)
    return encodeBareDenial(answer.allowed ? FORBIDDEN : answer.httpStatus, answer.code);
  writer.begin();
  writeMetadata(answer.metadata);
  if (answer.allowed) {
    writeOkResponse(answer);
    writeStatus(0);
  } else {
    writeDeniedResponse(answer);
    writeStatus(denialCode(answer.code));
  }
  return writer.finish();
}

function encodeBareDenial(httpStatus: number, code: number): Uint8Array {
  writer.begin();
  writeDeniedResponse({ httpStatus, body: "", clientHeaders: [] });
  writeStatus(denialCode(code));
  return writer.finish();
}

/** `google.rpc.Status status = 1 { int32 code = 1 }`. */
function writeStatus(code: number): void {
  const status = writer.openMessage();
  writer.number(1, code);
  writer.closeMessage(1, status);
}

function denialCode(code: number): number {
  return Number.isInteger(code) && code >= 1 && code <= 16 ? code : PERMISSION_DENIED;
}

/** `OkHttpResponse ok_response = 3 { headers = 2, headers_to_remove = 5, response_headers_to_add = 6 }`. */
function writeOkResponse(answer: CheckAnswer): void {
  const ok = writer.openMessage();
  const several = namesWithSeveralLines(answer.responseHeaders);
  for (let i = answer.responseHeaders.length - 1; i >= 0; i--) {
    const edit = answer.responseHeaders[i] as HeaderEdit;
    if (edit.onlyIf !== undefined) writeOption(6, edit, edit.onlyIf === "absent" ? ADD_IF_ABSENT : OVERWRITE_IF_EXISTS);
    else writeHeader(6, edit, several.has(edit.name.toLowerCase()));
  }
  for (let i = answer.removeHeaders.length - 1; i >= 0; i--) writer.text(5, answer.removeHeaders[i] as string);
  for (let i = answer.setHeaders.length - 1; i >= 0; i--) {
    writeHeader(2, answer.setHeaders[i] as HeaderEdit, answer.setHeaders[i]?.add === true);
  }
  writer.closeMessage(3, ok);
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Of the response's headers Envoy applies all that append before all that overwrite, whatever their order. */
function namesWithSeveralLines(edits: readonly HeaderEdit[]): ReadonlySet<string> {
  if (!edits.some(({ add }) => add === true)) return NO_NAMES;
  return new Set(edits.filter(({ add }) => add === true).map(({ name }) => name.toLowerCase()));
}

/** `DeniedHttpResponse denied_response = 2 { HttpStatus status = 1 { code = 1 }, headers = 2, body = 3 }`. */
function writeDeniedResponse(answer: Pick<CheckAnswer, "httpStatus" | "body" | "clientHeaders">): void {
  const denied = writer.openMessage();
  writer.text(3, answer.body);
  for (let i = answer.clientHeaders.length - 1; i >= 0; i--)
    writeHeader(2, answer.clientHeaders[i] as HeaderEdit, false);
  const status = writer.openMessage();
  writer.number(1, isClientStatus(answer.httpStatus) ? answer.httpStatus : FORBIDDEN);
  writer.closeMessage(1, status);
  writer.closeMessage(2, denied);
}

function writeHeader(field: number, edit: HeaderEdit, append: boolean): void {
  writeOption(field, edit, append ? APPEND_IF_EXISTS_OR_ADD : OVERWRITE_IF_EXISTS_OR_ADD, append);
}

/**
 * `HeaderValueOption { header = 1 { key = 1, value = 2 }, append = 2 { value = 1 }, append_action = 3, keep_empty_value = 4 }`. What `append`
 * cannot say goes without it: it would be obeyed first.
 */
function writeOption(field: number, edit: HeaderEdit, action: number, append?: boolean): void {
  const option = writer.openMessage();
  writer.number(4, 1);
  writer.number(3, action);
  if (append !== undefined) {
    const appendValue = writer.openMessage();
    writer.number(1, append ? 1 : 0);
    writer.closeMessage(2, appendValue);
  }
  const header = writer.openMessage();
  writeHeaderValue(edit.value);
  writer.text(1, edit.name);
  writer.closeMessage(1, header);
  writer.closeMessage(field, option);
}

/** `google.protobuf.Struct dynamic_metadata = 4 { map<string, Value> fields = 1 }`, `Value { string_value = 3 }`. */
function writeMetadata(metadata: CheckAnswer["metadata"]): void {
  if (metadata.length === 0) return;
  const struct = writer.openMessage();
  for (let i = metadata.length - 1; i >= 0; i--) {
    const [key, text] = metadata[i] as readonly [string, string];
    const entry = writer.openMessage();
    const value = writer.openMessage();
    writer.text(3, text);
    writer.closeMessage(2, value);
    writer.text(1, key);
    writer.closeMessage(1, entry);
  }
  writer.closeMessage(4, struct);
}

function writeHeaderValue(value: ByteString): void {
  if (!/[^\0-\x7f]/.test(value)) {
    writer.text(2, value);
    return;
  }
  const bytes = Buffer.from(value, "latin1");
  if (isUtf8(bytes)) writer.text(2, bytes.toString("utf8"));
  else
    writer.text(
      2,
      value.replace(/[^\0-\x7f]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`),
    );
}
