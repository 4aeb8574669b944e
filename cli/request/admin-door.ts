import { type RequestOptions as HttpOptions, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { resolve } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { readSecret } from "#platform/secret";
import { systemTimers, type Timers } from "#platform/timers";
import { UsageFault } from "../usage-fault.ts";

export interface AdminQuestion {
  /** `http://host:port`, `https://host:port` or `unix:PATH`. */
  readonly admin: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** A file with the token that the service wants to see. */
  readonly tokenFile: string | undefined;
  /** JSON; undefined: nothing is sent. */
  readonly body: string | undefined;
  /** A service whose answer is not whole after so long is given up. */
  readonly patienceMillis: number;
  /** Not given: the machine's. */
  readonly timers?: Timers;
}

/** Status pages of very large services have some MiB. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Asks a running service's admin API; `isAnswer` knows an answer, whatever its status, as far as it will be read: what answers may be another program. Fails with `UsageFault`
 * for an address that is none, or with what the service refuses the question for, with `service/unreachable` when it cannot be asked, with `service/answer` when what
 * answers is not its admin API.
 */
export async function askAdmin<T extends object>(
  { admin, method, path, tokenFile, body, patienceMillis, timers = systemTimers }: AdminQuestion,
  isAnswer: (answer: object) => answer is T,
): Promise<T> {
  const { send, where } = doorOf(admin, method, path);
  const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  if (tokenFile !== undefined) {
    headers["authorization"] = `Bearer ${Buffer.from(await readSecret(tokenFile)).toString("latin1")}`;
  }
  const { status, text } = await call(send, { ...where, headers }, body ?? "", patienceMillis, timers).catch(
    (cause: unknown) => {
      throw new CodedError("service/unreachable", `\`${admin}\` cannot be asked: ${messageOf(cause)}`, { cause });
    },
  );
  const answer = objectOf(text);
  if (answer !== undefined && isAnswer(answer)) return answer;
  const refusal: unknown = Object(Object(answer)["error"])["message"];
  if (typeof refusal === "string") throw new UsageFault(`the service answered ${status}: ${refusal}`);
  throw new CodedError("service/answer", `\`${admin}\` answered ${status}, not as an admin API does`);
}

function objectOf(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

interface Door {
  readonly send: typeof httpRequest;
  readonly where: HttpOptions;
}

function doorOf(admin: string, method: string, asked: string): Door {
  const question = { path: asked, method, agent: false };
  const path = /^unix:(?:\/\/)?(.+)$/.exec(admin)?.[1];
  if (path !== undefined) {
    return { send: httpRequest, where: { ...question, socketPath: resolve(path), host: "localhost" } };
  }
  const url = URL.canParse(admin) ? new URL(admin) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    const message = `expected \`http://host:port\`, \`https://host:port\` or \`unix:/path\` for --admin, found \`${admin}\``;
    throw new UsageFault(message, { hinted: true });
  }
  if (url.username !== "" || url.password !== "")
    throw new UsageFault("credentials for --admin belong into --token-file");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const where = { ...question, host, ...(url.port === "" ? {} : { port: url.port }) };
  return { send: url.protocol === "https:" ? httpsRequest : httpRequest, where };
}

function call(
  send: Door["send"],
  where: HttpOptions,
  body: string,
  patienceMillis: number,
  timers: Timers,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = send({ ...where, headers: { ...where.headers, "content-length": Buffer.byteLength(body) } });
    const giveUp = (why: string) => {
      reject(new Error(why));
      asked.destroy();
    };
    asked.once(
      "close",
      timers.after(patienceMillis, () => giveUp(`no answer in ${patienceMillis / 1000} s`)),
    );
    asked.on("error", reject);
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes <= mostBytes) chunks.push(chunk);
        else giveUp(`the answer has more than ${mostBytes} bytes`);
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    asked.end(body);
  });
}
