import { h2, http1, type RawResponse } from "../envoy/clients.ts";
import type { DownstreamRequest } from "../envoy-front/downstream.ts";

/** Sends the request of a case to a port of Envoy; undefined: closed or reset without an answer. Texts are byte strings. */
export async function send(port: number, request: DownstreamRequest): Promise<RawResponse | undefined> {
  return request.protocol === "HTTP/2" ? sendHttp2(port, request) : sendHttp1(port, request);
}

async function sendHttp1(port: number, request: DownstreamRequest): Promise<RawResponse | undefined> {
  const host = request.authority === undefined ? [] : [`Host: ${request.authority}`];
  const lines = request.headers.map(([name, value]) => `${name}: ${value}`);
  const head = [`${request.method} ${request.target} ${request.protocol}`, ...host, ...lines];
  try {
    return await http1(port, head);
  } catch (fault) {
    if (fault instanceof Error && fault.message === 'no HTTP response: ""') return undefined;
    throw fault;
  }
}

async function sendHttp2(port: number, request: DownstreamRequest): Promise<RawResponse | undefined> {
  const lines = new Map<string, string[]>();
  for (const [name, value] of request.headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  const pseudo = {
    ":method": request.method,
    ":scheme": request.scheme,
    ":path": request.target,
    ...(request.authority === undefined ? {} : { ":authority": request.authority }),
  };
  try {
    const { headers, body } = await h2(port, { ...pseudo, ...Object.fromEntries(lines) });
    const told = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(",") : String(value)]],
    );
    return { status: Number(headers[":status"]), headers: told, body: Buffer.from(body).toString("latin1") };
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === "ERR_HTTP2_STREAM_ERROR") return undefined;
    throw fault;
  }
}
