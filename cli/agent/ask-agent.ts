import { request } from "node:http";
import { CodedError, messageOf } from "#platform/coded-error";
import type { AgentStatusShape } from "./status-shape.ts";

/** A renewal takes as long as the authority does. */
const timeoutMillis = 60_000;

/** Asks a running agent at its status socket. Undefined: it has not what was asked for. Fails with `service/unreachable` or `service/answer`. */
export async function askAgent(
  socket: string,
  method: "GET" | "POST",
  path: string,
): Promise<AgentStatusShape | undefined> {
  const { code, text } = await ask(socket, method, path);
  return code === 404 ? undefined : parsed(text, socket);
}

function ask(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
): Promise<{ readonly code: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) =>
      reject(
        new CodedError(
          "service/unreachable",
          `no agent answers at \`${socketPath}\` (\`--socket\` names its \`statusSocket\`): ${messageOf(cause)}`,
          { cause },
        ),
      );
    const asked = request({ socketPath, method, path, timeout: timeoutMillis }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve({ code: response.statusCode, text: Buffer.concat(chunks).toString("utf8") }));
      response.once("error", failed);
    });
    asked.once("timeout", () => asked.destroy(new Error("it takes too long")));
    asked.once("error", failed);
    asked.end();
  });
}

function parsed(text: string, socket: string): AgentStatusShape {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(Reflect.get(Object(value), "identities"))) return value as AgentStatusShape;
  } catch {
    // Said below, with the name of the socket.
  }
  throw new CodedError("service/answer", `what answers at \`${socket}\` is no agent of Garita`);
}
