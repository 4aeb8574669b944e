import { once } from "node:events";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import type { OpenDoor } from "./doors.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** Asks a JSON door: `METHOD /path`, a body that is JSON unless it is text, and options of Node's request. */
export async function askHttp(
  door: Pick<OpenDoor, "door">,
  target: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<HttpAnswer> {
  const [method, path] = target.split(" ");
  const { address } = door.door;
  const place = address.kind === "unix" ? { socketPath: address.path } : { host: "localhost", port: address.port };
  // A list goes out as it is: names and values in turn.
  const headers = Array.isArray(options.headers)
    ? options.headers
    : { ...(body === undefined ? {} : { "content-type": "application/json" }), ...options.headers };
  const ask = options.ca === undefined ? plainRequest : request;
  const asked = ask({ ...place, method, path, agent: false, ...options, headers } as RequestOptions);
  asked.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const isJson = /json/.test(response.headers["content-type"] ?? "");
  return {
    status: response.statusCode!,
    headers: response.headers,
    text,
    json: isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}
