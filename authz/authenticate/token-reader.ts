import type { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { behindPrefix } from "./behind-prefix.ts";
import { firstCookies } from "./cookies.ts";
import type { PreparedPlan } from "./plan.ts";
import type { HeaderPlace } from "./provider.ts";
import { firstParameters } from "./query.ts";

/** Where tokens are read from: the request as it is now. PERF: whatever several providers look at is taken apart
 * once, and again only when it was edited. */
export class TokenReader {
  readonly #plan: PreparedPlan;
  readonly #request: EditedRequest;
  #target: ByteString = "";
  #parameters: ReadonlyMap<ByteString, ByteString> = new Map();
  readonly #headers = new Map<
    string,
    { readonly lines: readonly ByteString[]; readonly texts: readonly ByteString[] }
  >();
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
      headers.some((name) => this.#request.lines(name).length > 0) ||
      (parameters.size > 0 && this.#readParameters().size > 0) ||
      (cookies.size > 0 && this.#readCookies().size > 0)
    );
  }

  /** What the lines of a header hold behind the place's prefix, in order. */
  headerTexts({ name, prefix, key }: HeaderPlace): readonly ByteString[] {
    const lines = this.#request.lines(name);
    if (prefix === "" || lines.length === 0) return lines;
    const before = this.#headers.get(key);
    if (before !== undefined && equalLines(before.lines, lines)) return before.texts;
    const texts = lines.map((line) => behindPrefix(line, prefix)).filter((text) => text !== undefined);
    this.#headers.set(key, { lines, texts });
    return texts;
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
    if (!equalLines(lines, this.#cookieLines)) {
      this.#cookies = firstCookies(lines, this.#plan.cookies);
      this.#cookieLines = lines;
    }
    return this.#cookies;
  }
}

function equalLines(one: readonly ByteString[], other: readonly ByteString[]): boolean {
  return one === other || (one.length === other.length && one.every((line, i) => line === other[i]));
}
