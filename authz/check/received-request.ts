import type { ReadableRequest } from "#authz/engine/edited-request";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { OUR_PREFIX } from "./attributes/call-metadata.ts";
import type { CheckHttp } from "./wire/check-request.ts";

/**
 * The request of a check as the stages before the policies find it: its target in normal form, its headers without those of our
 * names, which are not the client's to send. Where Envoy joined lines, one text stands for all lines of a name.
 */
export class ReceivedRequest implements ReadableRequest {
  readonly target: ByteString;
  readonly #http: CheckHttp;

  constructor(http: CheckHttp, target: ByteString) {
    this.#http = http;
    this.target = target;
  }

  lines(name: ByteString): readonly ByteString[] {
    switch (name) {
      case ":path":
        return line(this.target);
      case ":method":
        return line(this.#http.method);
      case ":scheme":
        return line(this.#http.scheme);
      case ":authority":
      case "host":
        return line(this.#http.host);
    }
    return name.startsWith(OUR_PREFIX) ? none : this.#http.headerLines(name);
  }
}

const none: readonly never[] = Object.freeze([]);

function line(value: ByteString): readonly ByteString[] {
  return value === "" ? none : [value];
}
