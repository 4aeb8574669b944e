import type { CheckHttp } from "#authz/check/wire/check-request";
import type { HeaderLines, RequestHeaders } from "#authz/engine/attributes";
import type { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { OUR_PREFIX } from "./call-metadata.ts";
import { mergedHeaders } from "./merged-headers.ts";

/**
 * The headers of a check as policies see them: lines apart where Envoy sent them so (`encode_raw_headers`), else one text per
 * name that may be several lines. What a stage has edited is known line by line. `:path` is the normal form, because that is what the upstream gets. Our own names are
 * not shown: the upstream does not get them either.
 */
export class CheckHeaders implements RequestHeaders {
  readonly #http: CheckHttp;
  readonly #target: ByteString;
  readonly #edited: EditedRequest | undefined;
  /** A rule asked for a value that may be several lines joined. */
  askedJoined = false;

  constructor(http: CheckHttp, target: ByteString, edited?: EditedRequest) {
    this.#http = http;
    this.#target = target;
    this.#edited = edited;
  }

  get(name: ByteString): HeaderLines | undefined {
    const edited = this.#edited?.edit(name === "host" ? ":authority" : name);
    if (edited !== undefined) return edited.length === 0 ? undefined : { lines: edited, joined: false };
    switch (name) {
      case ":path":
        return single(this.#target);
      case ":method":
        return single(this.#http.method);
      case ":authority":
      case "host":
        return this.#http.host === "" ? this.#lines(name === "host" ? ":authority" : name) : single(this.#http.host);
    }
    if (name.startsWith(OUR_PREFIX)) return undefined;
    return this.#lines(name);
  }

  names(): readonly ByteString[] {
    const names = new Set(this.#http.headerNamesBeginning("").filter((name) => !name.startsWith(OUR_PREFIX)));
    for (const [name, lines] of this.#edited?.headerEdits() ?? none) {
      if (lines.length > 0) names.add(name);
      else names.delete(name);
    }
    if (this.get("host") !== undefined) names.add("host");
    return [...names].filter((name) => !name.startsWith(":"));
  }

  #lines(name: ByteString): HeaderLines | undefined {
    const lines = this.#http.headerLines(name);
    if (lines.length === 0) return undefined;
    const joined = !this.#http.raw && !mergedHeaders.has(name) && lines.some((line) => line.includes(","));
    if (joined) this.askedJoined = true;
    return { lines, joined };
  }
}

const none: readonly never[] = Object.freeze([]);

/** Pseudo headers stand once. Without a value there is none (CONNECT has no path). */
function single(value: ByteString): HeaderLines | undefined {
  return value === "" ? undefined : { lines: [value], joined: false };
}

/** A gRPC call by Envoy's rule: the content type is `application/grpc`, or goes on with `+`. */
export function isGrpc(http: Pick<CheckHttp, "headerLines">): boolean {
  const type = http.headerLines("content-type")[0];
  return type !== undefined && (type === "application/grpc" || type.startsWith("application/grpc+"));
}
