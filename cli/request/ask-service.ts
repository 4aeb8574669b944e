import { type RequestOptions as HttpOptions, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { resolve } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { readSecret } from "#platform/secret";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";
import type { ExplainedDecision } from "./explanation.ts";
import { describedBy, type RequestOptions } from "./options.ts";

/** A service that does not answer for so long is given up. */
const patienceMillis = 30_000;

/**
 * Has a running service explain a request over its admin API. Fails with `UsageFault` when the service refuses the request, with
 * `service/unreachable` when it cannot be asked, with `service/answer` when what answers is not its admin API.
 */
export async function askService(
  admin: string,
  options: RequestOptions & { readonly tokenFile?: string },
  context: CommandContext,
): Promise<ExplainedDecision> {
  const { send, where } = doorOf(admin);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (options.tokenFile !== undefined) {
    headers["authorization"] = `Bearer ${Buffer.from(await readSecret(options.tokenFile)).toString("latin1")}`;
  }
  const body = JSON.stringify(await describedBy(options, context));
  const answer = await post(send, { ...where, headers }, body).catch((cause: unknown) => {
    throw new CodedError("service/unreachable", `\`${admin}\` cannot be asked: ${messageOf(cause)}`, { cause });
  });
  const read = readAnswer(answer.body);
  if (answer.status === 200 && isExplained(read)) return read;
  const message = read?.error?.message;
  if (answer.status === 200 || message === undefined) {
    throw new CodedError("service/answer", `\`${admin}\` answered ${answer.status}, not as an admin API does`);
  }
  throw new UsageFault(`the service answered ${answer.status}: ${message}`);
}

interface Door {
  readonly send: typeof httpRequest;
  readonly where: HttpOptions;
}

function doorOf(admin: string): Door {
  const call = { path: "/v1/explain", method: "POST", agent: false };
  const path = /^unix:(?:\/\/)?(.+)$/.exec(admin)?.[1];
  if (path !== undefined) {
    return { send: httpRequest, where: { ...call, socketPath: resolve(path), host: "localhost" } };
  }
  const url = URL.canParse(admin) ? new URL(admin) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    const message = `expected \`http://host:port\`, \`https://host:port\` or \`unix:/path\` for --admin, found \`${admin}\``;
    throw new UsageFault(message, { hinted: true });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const where = { ...call, host, ...(url.port === "" ? {} : { port: url.port }) };
  return { send: url.protocol === "https:" ? httpsRequest : httpRequest, where };
}

function post(
  send: Door["send"],
  where: HttpOptions,
  body: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const call = send({ ...where, headers: { ...where.headers, "content-length": Buffer.byteLength(body) } });
    call.setTimeout(patienceMillis, () => call.destroy(new Error(`no answer in ${patienceMillis / 1000} s`)));
    call.on("error", reject);
    call.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.end(body);
  });
}

type Answer = Partial<ExplainedDecision> & { readonly error?: { readonly message?: string } };

/** As much as is read without looking again; the rest is told as it came. */
function isExplained(answer: Answer | undefined): answer is ExplainedDecision {
  if (answer?.outcome !== "allow" && answer?.outcome !== "deny") return false;
  return (
    [answer.applied, answer.authentications, answer.matched, answer.conditions, answer.nearest, answer.unknown].every(
      Array.isArray,
    ) && answer.dryRun !== undefined
  );
}

function readAnswer(body: string): Answer | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Answer) : undefined;
  } catch {
    return undefined;
  }
}
