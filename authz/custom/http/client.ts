import http from "node:http";
import https from "node:https";
import { isHeaderValue, isToken } from "#policy-compiler/ruleset/header-text";
import type { HttpOptions } from "#policy-compiler/ruleset/providers/options";
import type { ProviderTarget } from "#policy-compiler/ruleset/providers/resolve";
import { faultAt, UnaskableRequest } from "../provider-fault.ts";
import { Rotation } from "../rotation.ts";
import type { Transport } from "../transport.ts";
import { type HttpCheckQuestion, httpCheckQuestion } from "./check-request.ts";
import { readHttpAnswer } from "./read-answer.ts";
import { type HttpReply, sendCheck } from "./send.ts";

/** Connections that nobody has used for so long are closed: before most servers close them, so that few questions meet a closing one. */
const IDLE_MILLIS = 4000;
const MAX_CONNECTIONS = 1024;

export interface HttpTransportOptions {
  readonly target: ProviderTarget;
  readonly options: HttpOptions;
  /** PEM of the authorities to trust, instead of Node's. */
  readonly authorities: Buffer | undefined;
  readonly nowMillis: () => number;
}

/** Asks over HTTP/1.1, on connections that are kept. */
export function createHttpTransport({ target, options, authorities, nowMillis }: HttpTransportOptions): Transport {
  const rotation = new Rotation(target.endpoints);
  let agent: http.Agent | undefined;
  return {
    async ask({ question, body }, budgetMillis) {
      if (question.http === undefined) throw new UnaskableRequest("an HTTP provider knows no connections");
      const request = httpCheckQuestion(question.http, options, body);
      const fault = unwritable(request);
      if (fault !== undefined) throw new UnaskableRequest(fault);
      agent ??= createAgent(target, authorities);
      const endpoint = rotation.take(nowMillis());
      let reply: HttpReply;
      try {
        reply = await sendCheck(request, { endpoint, agent, tls: target.tls, budgetMillis });
      } catch (thrown) {
        rotation.failed(endpoint, nowMillis());
        throw faultAt(thrown, endpoint);
      }
      rotation.answered(endpoint);
      return readHttpAnswer(reply, options, question);
    },
    close() {
      agent?.destroy();
      agent = undefined;
    },
  };
}

/** Why a request cannot stand on an HTTP/1 connection as it is, or undefined. */
function unwritable({ method, path, headers }: HttpCheckQuestion): string | undefined {
  if (!isToken(method)) return "a method that is no token";
  if (method === "CONNECT") return "CONNECT, of which an HTTP provider cannot be asked";
  if (!/^[!-\xff]+$/.test(path)) return "a target with a blank or a control character";
  for (const [name, value] of headers) {
    if (!isToken(name)) return "a header whose name is none";
    if (!isHeaderValue(value)) return `header \`${name}\` with a control character`;
  }
  return undefined;
}

function createAgent({ tls, host }: ProviderTarget, authorities: Buffer | undefined): http.Agent {
  const settings = { keepAlive: true, timeout: IDLE_MILLIS, maxSockets: MAX_CONNECTIONS, scheduling: "lifo" } as const;
  if (!tls) return new http.Agent(settings);
  return new https.Agent({
    ...settings,
    servername: host,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    ...(authorities === undefined ? {} : { ca: authorities }),
  });
}
