import { fromBinary } from "@bufbuild/protobuf";
import type { ProviderHeader, ProviderQuestion } from "#authz/custom/contract";
import { editRequest } from "#authz/custom/edit-request";
import { ProviderFault } from "#authz/custom/provider-fault";
import type { Answer } from "#authz/custom/transport";
import {
  HeaderValueOption_HeaderAppendAction as Action,
  type HeaderValueOption,
} from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import {
  type CheckResponse,
  CheckResponseSchema,
  type OkHttpResponse,
} from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { toAsciiLowerCase, toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { isHeaderLine } from "../header-line.ts";

const FORBIDDEN = 403;

/**
 * What a CheckResponse comes to for Envoy 1.40 (`GrpcClientImpl::onSuccess`, `Filter::onComplete`), run against it. The status decides, not the
 * member that stands beside it. Dynamic metadata is not looked at: nothing that Istio's policies read comes from it. Throws a
 * `ProviderFault` for bytes that are no CheckResponse.
 */
export function readCheckAnswer(bytes: Uint8Array, question: ProviderQuestion): Answer {
  const { status, httpResponse } = decode(bytes);
  if ((status?.code ?? 0) === 0) {
    return httpResponse.case === "okResponse" ? allowed(httpResponse.value, question) : plainAllow;
  }
  switch (httpResponse.case) {
    case "deniedResponse": {
      const { status: http, headers, body } = httpResponse.value;
      return {
        kind: "denied",
        status: statusOf(http?.code) ?? FORBIDDEN,
        headers: headerLines(headers.filter(({ append }) => append !== true)),
        body: toByteString(body),
      };
    }
    case "errorResponse": {
      const { status: http, headers, body } = httpResponse.value;
      const appended = headers.filter(({ append }) => append === true);
      const set = headers.filter(({ append }) => append !== true);
      return {
        kind: "error",
        status: statusOf(http?.code),
        headers: headerLines([...set, ...appended]),
        body: toByteString(body),
      };
    }
    case "okResponse":
    case undefined:
      return { kind: "denied", status: FORBIDDEN, headers: [], body: "" };
    default:
      return httpResponse satisfies never;
  }
}

const plainAllow: Answer = { kind: "allowed", request: undefined, responseHeaders: [], failedOpen: undefined };

function decode(bytes: Uint8Array): CheckResponse {
  try {
    return fromBinary(CheckResponseSchema, bytes, { readUnknownFields: false });
  } catch {
    // Whatever the decoder says of it: Envoy takes it for a failed call.
    throw new ProviderFault("the answer is no CheckResponse");
  }
}

/** Envoy keeps sixteen bits of it; 0 is none. */
function statusOf(code: number | undefined): number | undefined {
  return code === undefined || code === 0 ? undefined : code & 0xffff;
}

function allowed(ok: OkHttpResponse, { http }: ProviderQuestion): Answer {
  // Of a connection there is nothing to edit.
  if (http === undefined) return plainAllow;
  // `append` alone decides for the request's headers: Envoy 1.40 does not look at `append_action` there.
  const pairs = (options: readonly HeaderValueOption[]) => options.map(pairOf);
  const edits = {
    set: pairs(ok.headers.filter(({ append }) => append !== true)),
    append: pairs(ok.headers.filter(({ append }) => append === true)),
    remove: ok.headersToRemove.map(toByteString),
    setQuery: ok.queryParametersToSet.map(({ key, value }) => [toByteString(key), toByteString(value)] as const),
    removeQuery: ok.queryParametersToRemove.map(toByteString),
  };
  const edited = editRequest(http.request, edits);
  if (!edited.ok) return { kind: "malformed", fault: edited.fault };
  return {
    kind: "allowed",
    request: edited.request.edited ? edited.request : undefined,
    responseHeaders: responseHeaders(ok.responseHeadersToAdd),
    failedOpen: undefined,
  };
}

/** `raw_value` is not read. */
function pairOf({ header }: HeaderValueOption): readonly [name: ByteString, value: ByteString] {
  return [toByteString(header?.key ?? ""), toByteString(header?.value ?? "")];
}

/** Lines for the client in the order given; a line that would break the response is left out. */
function headerLines(options: readonly HeaderValueOption[]): readonly ProviderHeader[] {
  const seen = new Set<string>();
  return options.map(pairOf).flatMap(([given, value]) => {
    const name = toAsciiLowerCase(given);
    if (!isHeaderLine(name, value)) return [];
    const add = seen.has(name);
    seen.add(name);
    return [{ name, value, add }];
  });
}

/** What the upstream's answer gets of one name. */
interface ResponseName {
  readonly lines: ByteString[];
  form: "add" | "set" | "absent" | "present";
}

/**
 * Headers for the upstream's answer. ORDER: of one name Envoy first adds, then sets, then adds where there is none, then sets where there is one,
 * whatever the order in the list (`Filter::encodeHeaders`).
 */
function responseHeaders(options: readonly HeaderValueOption[]): readonly ProviderHeader[] {
  const names = new Map<string, ResponseName>();
  for (const wanted of ["add", "set", "absent", "present"] as const) {
    for (const option of options) {
      if (formOf(option) !== wanted) continue;
      const [given, value] = pairOf(option);
      const name = toAsciiLowerCase(given);
      if (isHeaderLine(name, value)) join(names, name, wanted, value);
    }
  }
  return [...names].flatMap(([name, { form, lines }]) =>
    lines.map((value): ProviderHeader => {
      if (form === "add" || form === "set") return { name, value, add: form === "add" };
      return { name, value, add: form === "absent", onlyIf: form };
    }),
  );
}

function join(names: Map<string, ResponseName>, name: string, form: ResponseName["form"], value: ByteString): void {
  const before = names.get(name);
  if (before === undefined) names.set(name, { form, lines: [value] });
  else if (form === "add") before.lines.push(value);
  else if (form === "set") names.set(name, { form, lines: [value] });
  // Of "absent" the first that found none counts, and "present" finds what was put there before.
  else if (form === "present") names.set(name, { form: before.form === "present" ? "present" : "set", lines: [value] });
}

/** Undefined: an action that Envoy does not know, and passes over. */
function formOf({ append, appendAction }: HeaderValueOption): ResponseName["form"] | undefined {
  if (append !== undefined) return append ? "add" : "set";
  switch (appendAction) {
    case Action.APPEND_IF_EXISTS_OR_ADD:
      return "add";
    case Action.OVERWRITE_IF_EXISTS_OR_ADD:
      return "set";
    case Action.ADD_IF_ABSENT:
      return "absent";
    case Action.OVERWRITE_IF_EXISTS:
      return "present";
    default:
      return undefined;
  }
}
