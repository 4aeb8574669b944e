import { fold } from "./bytes.ts";

/**
 * Request headers that Envoy keeps in a slot of their own: a second line of the same name is joined to the first. The first
 * block is built in, the second is registered by filters that every build links.
 */
const slots: ReadonlySet<string> = new Set([
  ":authority",
  ":method",
  ":path",
  ":protocol",
  ":scheme",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "grpc-timeout",
  "keep-alive",
  "proxy-connection",
  "proxy-status",
  "te",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "via",
  "x-client-trace-id",
  "x-envoy-attempt-count",
  "x-envoy-decorator-operation",
  "x-envoy-downstream-service-cluster",
  "x-envoy-downstream-service-node",
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-external-address",
  "x-envoy-force-trace",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-internal",
  "x-envoy-ip-tags",
  "x-envoy-is-timeout-retry",
  "x-envoy-max-retries",
  "x-envoy-original-host",
  "x-envoy-original-path",
  "x-envoy-original-url",
  "x-envoy-retriable-header-names",
  "x-envoy-retriable-status-codes",
  "x-envoy-retry-grpc-on",
  "x-envoy-retry-on",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-stream-duration-ms",
  "x-forwarded-client-cert",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-request-id",

  "accept",
  "accept-encoding",
  "access-control-request-headers",
  "access-control-request-method",
  "access-control-request-private-network",
  "authorization",
  "cache-control",
  "cdn-loop",
  "content-encoding",
  "grpc-accept-encoding",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "pragma",
  "referer",
]);

/** Envoy's header map: lines in order, names lower case, slots merged on receipt. `host` is another name of `:authority`. */
export class HeaderMap {
  #lines: { readonly name: string; value: string }[] = [];

  /** One line as a codec receives it. A second line of a slot is joined by a comma; an empty one adds nothing. */
  receive(name: string, value: string): void {
    const key = canonicalName(name);
    const present = slots.has(key) ? this.#first(key) : undefined;
    if (present === undefined) this.#lines.push({ name: key, value });
    else joinTo(present, value);
  }

  /** The value of the first line; undefined when there is none. */
  get(name: string): string | undefined {
    return this.#first(canonicalName(name))?.value;
  }

  /** Every line of one name. */
  values(name: string): readonly string[] {
    const key = canonicalName(name);
    return this.#lines.filter((line) => line.name === key).map((line) => line.value);
  }

  /** Replaces every line of the name by one. */
  set(name: string, value: string): void {
    const key = canonicalName(name);
    const present = this.#first(key);
    if (present === undefined) {
      this.#lines.push({ name: key, value });
      return;
    }
    present.value = value;
    this.#lines = this.#lines.filter((line) => line.name !== key || line === present);
  }

  /** Joins the value to the first line of the name, or adds a line. */
  append(name: string, value: string): void {
    const present = this.#first(canonicalName(name));
    if (present === undefined) this.#lines.push({ name: canonicalName(name), value });
    else joinTo(present, value);
  }

  remove(name: string): void {
    const key = canonicalName(name);
    this.#lines = this.#lines.filter((line) => line.name !== key);
  }

  /** Every line in order. */
  entries(): readonly (readonly [name: string, value: string])[] {
    return this.#lines.map((line) => [line.name, line.value]);
  }

  copy(): HeaderMap {
    const twin = new HeaderMap();
    twin.#lines = this.#lines.map((line) => ({ ...line }));
    return twin;
  }

  #first(key: string): { readonly name: string; value: string } | undefined {
    return this.#lines.find((line) => line.name === key);
  }
}

function joinTo(line: { value: string }, value: string): void {
  if (value === "") return;
  line.value = line.value === "" ? value : `${line.value},${value}`;
}

/** ASCII lower case, and `host` by its other name. */
function canonicalName(name: string): string {
  const lower = fold(name);
  return lower === "host" ? ":authority" : lower;
}
