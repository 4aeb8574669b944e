import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { CodedError, messageOf } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { type Door, doorOf } from "./door.ts";
import { ServiceRefusal } from "./refusal.ts";
import type { ServiceOptions } from "./service-options.ts";

/** An authority that does not answer for so long is given up. */
const patienceMillis = 60_000;
/** The largest answer: a thousand records with their certificates. */
const limitBytes = 32 * 1024 * 1024;

/**
 * Asks a running authority. Calls fail with `service/unreachable` when it cannot be asked, with `service/answer` when what answers is no authority, and
 * with a `ServiceRefusal` when it says no.
 */
export interface CaClient {
  /** For messages. */
  readonly name: string;
  get(path: string, query?: Readonly<Record<string, string | number | boolean | undefined>>): Promise<unknown>;
  post(path: string, body: object): Promise<unknown>;
  /** An answer that is text, such as the bundle. */
  text(path: string): Promise<string>;
}

/** A client of the authority that the options name. `bearer`: a credential for it, which is sent over its connection alone. Fails with `UsageFault`. */
export async function openClient(options: ServiceOptions, context: CommandContext, bearer?: string): Promise<CaClient> {
  return clientOf(await doorOf(options, context), bearer);
}

/** A client of a door. */
export function clientOf(door: Door, bearer?: string): CaClient {
  const json = async (method: "GET" | "POST", path: string, body?: object) =>
    readJson(door, await ask(door, { method, path, accept: "application/json", bearer, body }));
  return {
    name: door.name,
    get: (path, query = {}) => json("GET", withQuery(path, query)),
    post: (path, body) => json("POST", path, body),
    async text(path) {
      const answer = await ask(door, { method: "GET", path, accept: "*/*", bearer, body: undefined });
      if (answer.status === 200) return answer.body;
      readJson(door, answer);
      throw notAnAuthority(door, answer);
    },
  };
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly accept: string;
  readonly bearer: string | undefined;
  readonly body: object | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function withQuery(path: string, query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function ask(door: Door, { method, path, accept, bearer, body }: Call): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers: Record<string, string | number> = { accept };
  if (bearer !== undefined) headers["authorization"] = `Bearer ${bearer}`;
  if (text !== undefined) {
    headers["content-type"] = "application/json";
    headers["content-length"] = Buffer.byteLength(text);
  }
  const options: RequestOptions = { ...door.where, method, path, headers, agent: false };
  try {
    return await answerOf(door.secure ? httpsRequest(options) : httpRequest(options), text);
  } catch (cause) {
    throw new CodedError("service/unreachable", `\`${door.name}\` cannot be asked: ${messageOf(cause)}`, { cause });
  }
}

function answerOf(call: ReturnType<typeof httpRequest>, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    call.setTimeout(patienceMillis, () => call.destroy(new Error(`no answer in ${patienceMillis / 1000} s`)));
    call.on("error", reject);
    call.on("response", (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > limitBytes) call.destroy(new Error(`the answer has more than ${limitBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.end(body);
  });
}

function readJson(door: Door, answer: Answer): unknown {
  const read = parsed(answer.body);
  if (answer.status >= 200 && answer.status < 300 && read !== undefined) return read;
  const { code, message, id } = (read ?? {}) as { code?: unknown; message?: unknown; id?: unknown };
  if (answer.status < 400 || typeof code !== "string" || typeof message !== "string") {
    throw notAnAuthority(door, answer);
  }
  throw new ServiceRefusal({
    status: answer.status,
    code,
    message,
    explanationId: typeof id === "string" ? id : undefined,
  });
}

function notAnAuthority(door: Door, { status }: Answer): CodedError {
  return new CodedError("service/answer", `\`${door.name}\` answered ${status}, not as an authority does`);
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // No JSON is no answer of an authority: said by the caller.
  }
}
