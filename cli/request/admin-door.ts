import { type RequestOptions as HttpOptions, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { resolve } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { readSecret } from "#platform/secret";
import { UsageFault } from "../usage-fault.ts";

export interface AdminQuestion {
  /** `http://host:port`, `https://host:port` or `unix:PATH`. */
  readonly admin: string;
  readonly path: string;
  /** A file with the token that the service wants to see. */
  readonly tokenFile: string | undefined;
  /** JSON; undefined: nothing is sent. */
  readonly body: string | undefined;
  /** A service that does not answer for so long is given up. */
  readonly patienceMillis: number;
}

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** Posts to a running service's admin API. Fails with `UsageFault` for an address that is none, with `service/unreachable` when it cannot be asked. */
export async function postToAdmin({
  admin,
  path,
  tokenFile,
  body,
  patienceMillis,
}: AdminQuestion): Promise<AdminAnswer> {
  const { send, where } = doorOf(admin, path);
  const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  if (tokenFile !== undefined) {
    headers["authorization"] = `Bearer ${Buffer.from(await readSecret(tokenFile)).toString("latin1")}`;
  }
  return post(send, { ...where, headers }, body ?? "", patienceMillis).catch((cause: unknown) => {
    throw new CodedError("service/unreachable", `\`${admin}\` cannot be asked: ${messageOf(cause)}`, { cause });
  });
}

interface Door {
  readonly send: typeof httpRequest;
  readonly where: HttpOptions;
}

function doorOf(admin: string, asked: string): Door {
  const call = { path: asked, method: "POST", agent: false };
  const path = /^unix:(?:\/\/)?(.+)$/.exec(admin)?.[1];
  if (path !== undefined) {
    return { send: httpRequest, where: { ...call, socketPath: resolve(path), host: "localhost" } };
  }
  const url = URL.canParse(admin) ? new URL(admin) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    const message = `expected \`http://host:port\`, \`https://host:port\` or \`unix:/path\` for --admin, found \`${admin}\``;
    throw new UsageFault(message, { hinted: true });
  }
  if (url.username !== "" || url.password !== "")
    throw new UsageFault("credentials for --admin belong into --token-file");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const where = { ...call, host, ...(url.port === "" ? {} : { port: url.port }) };
  return { send: url.protocol === "https:" ? httpsRequest : httpRequest, where };
}

function post(
  send: Door["send"],
  where: HttpOptions,
  body: string,
  patienceMillis: number,
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
