import { readFile } from "node:fs/promises";
import type { AuthenticationInput } from "#authz/authenticate/contract";
import { normalizePath } from "#authz/check/path/normalize";
import { receivedTarget } from "#authz/check/path/received-target";
import type { CheckRequest } from "#authz/check/wire/check-request";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { resolveWorkload } from "#authz/check/workload/resolve";
import { EditedRequest } from "#authz/engine/edited-request";
import { parseToken } from "#identity/token/parse";
import { createTokenVerifier } from "#identity/token/verify";
import { systemClock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import { createSignatureVerifier } from "#platform/signature-verifier";
import type { Mesh } from "#policy-compiler/ruleset/model";
import type { CommandContext } from "../command.ts";
import { engineOf } from "../policies/compile-folder.ts";
import { compileOrReport } from "../policies/compile-or-report.ts";
import { claimsText, renderTest, type ShownTest, testJson } from "../report/jwks.ts";
import { checkMessage } from "../request/check-message.ts";
import type { RequestDescription } from "../request/description.ts";
import { describedBy, type RequestOptions } from "../request/options.ts";
import { prepareFetching } from "../serve/issuer-keys.ts";
import { UsageFault } from "../usage-fault.ts";
import { type FetchOptions, fetchOnce, jwtConfigOf } from "./fetch-once.ts";
import { placedRules, sourcesOf } from "./policy-sources.ts";
import { testToken } from "./test-token.ts";

export interface TestOptions extends FetchOptions, RequestOptions {
  readonly istioLax: boolean;
  readonly format: "text" | "json";
  readonly tokenFile: string;
  readonly place: string;
  readonly showClaims: boolean;
}

/**
 * Puts a token into a described request and renders what the JWT rules of the workload say to it, together and each alone. The token
 * itself is never rendered. Undefined: the policies are not valid. Fails with `UsageFault`.
 */
export async function testReport(
  folder: string,
  options: TestOptions,
  context: CommandContext,
): Promise<{ readonly text: string; readonly refused: boolean } | undefined> {
  if (options.checkRequest !== undefined)
    throw new UsageFault("--check-request brings tokens of its own: describe the request by flags");
  if (options.claims !== undefined) throw new UsageFault("expected one token, found --claims beside --token-file");
  const jwt = await jwtConfigOf(options, context.environment);
  const token = await readToken(options.tokenFile, context);
  const described = withToken(await describedBy(options, context), options.place, token);
  const built = await compileOrReport(folder, options, context);
  if (built === undefined) return undefined;
  const engine = engineOf(built, { index: true });
  const { mesh } = engine.ruleSet;
  const request = decoded(described);
  const found = resolveWorkload(engine.ruleSet, request, undefined);
  if (!found.ok) throw new UsageFault(`${found.reason}: ${found.detail}`);
  const applying = engine.view(found.workload).requestAuthentications;
  const rules = placedRules(engine.ruleSet, folder, applying);
  if (rules.length === 0) throw new UsageFault("no RequestAuthentication with a JWT rule selects the workload");
  const named = sourcesOf(rules);
  const prepared = await prepareFetching(jwt, context.environment);
  const { sets, states } = await fetchOnce(
    named.map(({ source }) => source),
    prepared,
  );
  const verify = createTokenVerifier(createSignatureVerifier());
  const input = inputOf(request, mesh, jwt.maxTokenBytes);
  const tested = await testToken(rules, input, { verify, sets, fit: jwt.algorithmFit });
  const shown: ShownTest = {
    tested,
    states: new Map(states.map((status, i) => [named[i]!.source.id, status])),
    claims: options.showClaims ? claimsOf(token) : undefined,
  };
  const text = options.format === "json" ? `${JSON.stringify(testJson(shown), undefined, 2)}\n` : renderTest(shown);
  return { text, refused: tested.together.kind === "refused" };
}

/** The token of a file, without the white space around it. */
async function readToken(file: string, { readInput }: Pick<CommandContext, "readInput">): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = file === "-" ? await readInput() : await readFile(file);
  } catch (cause) {
    throw new UsageFault(`\`${file}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
  const text = Buffer.from(bytes).toString("utf8").trim();
  if (text === "") throw new UsageFault(`\`${file}\` holds no token`);
  if (/[\r\n\0]/.test(text)) throw new UsageFault(`\`${file}\` holds more than one line`);
  return text;
}

function withToken(description: RequestDescription, place: string, token: string): RequestDescription {
  const [, kind, name] = /^(header|param|cookie):(.+)$/.exec(place) ?? [];
  if (kind === undefined || name === undefined || description.tcp === true) {
    throw new UsageFault(
      description.tcp === true
        ? "a connection has no token: leave out `tcp`"
        : `expected header:NAME, param:NAME or cookie:NAME, found \`${place}\``,
    );
  }
  const http = description.request ?? {};
  if (kind === "param") {
    const path = http.path ?? "/";
    const joint = path.includes("?") ? "&" : "?";
    return { ...description, request: { ...http, path: `${path}${joint}${name}=${encodeURIComponent(token)}` } };
  }
  const bearer = kind === "header" && name.toLowerCase() === "authorization" ? "Bearer " : "";
  const line = kind === "cookie" ? `cookie: ${name}=${token}` : `${name}: ${bearer}${token}`;
  return { ...description, request: { ...http, headers: [...(http.headers ?? []), line] } };
}

function decoded(description: RequestDescription): CheckRequest {
  const read = decodeCheckRequest(checkMessage(description).message);
  if (!read.ok) throw new UsageFault(`the request cannot be read: ${read.fault}`);
  return read.request;
}

function inputOf({ http }: CheckRequest, mesh: Mesh, maxTokenBytes: number): AuthenticationInput {
  if (http === undefined) throw new UsageFault("a connection has no token");
  const received = receivedTarget(http);
  const target = normalizePath(received, mesh.pathNormalization) ?? received;
  return {
    request: new EditedRequest({ target, lines: (name) => http.headerLines(name) }),
    method: http.method,
    scheme: http.scheme,
    authority: http.host,
    nowSeconds: Math.floor(systemClock.nowMillis() / 1000),
    maxTokenBytes,
  };
}

function claimsOf(token: string): object | undefined {
  const parsed = parseToken(token);
  return parsed.ok ? (claimsText(parsed.token.claims) as object) : undefined;
}
