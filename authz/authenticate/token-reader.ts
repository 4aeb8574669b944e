import type { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { firstCookies } from "./cookies.ts";
import type { PreparedPlan } from "./plan.ts";
import { firstParameters } from "./query.ts";

/** Where tokens are read from: the request as it is now. PERF: query and cookies are taken apart once, and again only when they were edited. */
export class TokenReader {
  readonly #plan: PreparedPlan;
  readonly #request: EditedRequest;
  #target: ByteString = "";
  #parameters: ReadonlyMap<ByteString, ByteString> = new Map();
  #cookieLines: readonly ByteString[] = [];
  #cookies: ReadonlyMap<ByteString, ByteString> = new Map();

  constructor(plan: PreparedPlan, request: EditedRequest) {
    this.#plan = plan;
    this.#request = request;
  }

  /** Is there anything at a place where any provider looks? Without, there is no token. */
  get anything(): boolean {
    const { headers, parameters, cookies } = this.#plan;
    return (
      headers.some((name) => this.lines(name).length > 0) ||
      (parameters.size > 0 && this.#readParameters().size > 0) ||
      (cookies.size > 0 && this.#readCookies().size > 0)
    );
  }

  lines(name: ByteString): readonly ByteString[] {
    return this.#request.lines(name);
  }

  /** Value of the first parameter of that name; undefined: none. */
  parameter(name: ByteString): ByteString | undefined {
    return this.#readParameters().get(name);
  }

  cookie(name: ByteString): ByteString | undefined {
    return this.#readCookies().get(name);
  }

  #readParameters(): ReadonlyMap<ByteString, ByteString> {
    const { target } = this.#request;
    if (target !== this.#target) {
      this.#parameters = firstParameters(target, this.#plan.parameters);
      this.#target = target;
    }
    return this.#parameters;
  }

  #readCookies(): ReadonlyMap<ByteString, ByteString> {
    const lines = this.#request.lines("cookie");
    if (lines.length !== this.#cookieLines.length || lines.some((line, i) => line !== this.#cookieLines[i])) {
      this.#cookies = firstCookies(lines, this.#plan.cookies);
      this.#cookieLines = lines;
    }
    return this.#cookies;
  }
}
