import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { messageOf } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import type { ExplainedDecision } from "./explanation.ts";
import { describedBy, RequestFault, type RequestOptions } from "./options.ts";

/**
 * Has a running service explain a request over its admin API: `http://host:port`, `https://…`, or `unix:/path`. Undefined: it did not; why was
 * written and the exit status set.
 */
export async function askService(
  admin: string,
  options: RequestOptions,
  context: CommandContext,
): Promise<ExplainedDecision | undefined> {
  try {
    const description = await describedBy(options);
    const { status, body } = await post(admin, "/v1/explain", JSON.stringify(description));
    const answer = JSON.parse(body) as ExplainedDecision & { readonly error?: { readonly message: string } };
    if (status === 200) return answer;
    throw new RequestFault(`the service answered ${status}: ${answer.error?.message ?? body}`);
  } catch (fault) {
    context.writeError(`garita: ${messageOf(fault)}\n`);
    context.finish(fault instanceof RequestFault ? exitCodes.usage : exitCodes.internal);
    return undefined;
  }
}

function post(admin: string, path: string, body: string): Promise<{ readonly status: number; readonly body: string }> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const unix = /^unix:(?:\/\/)?(\/.*)$/.exec(admin);
    const call = unix
      ? httpRequest({ socketPath: unix[1], path, method: "POST", headers: { ...headers, host: "localhost" } })
      : (admin.startsWith("https:") ? httpsRequest : httpRequest)(new URL(path, admin), { method: "POST", headers });
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
