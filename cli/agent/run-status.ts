import { request } from "node:http";
import { CodedError, messageOf } from "#platform/coded-error";
import { momentText } from "../ca/duration.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor } from "../ca/paint.ts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { statusPath } from "./serve-status.ts";
import type { AgentStatusShape, FailureShape, IdentityShape, StreamShape } from "./status-shape.ts";

export interface StatusOptions {
  readonly socket: string;
  readonly format: "text" | "json";
}

const timeoutMillis = 10_000;

/** `garita agent status`: what a running agent says of its identities. Ends with the status of a gate where one has no valid certificate. */
export async function agentStatus({ socket, format }: StatusOptions, context: CommandContext): Promise<void> {
  const status = parsed(await ask(socket), socket);
  if (status.identities.some(({ state }) => state !== "valid")) context.finish(exitCodes.gate);
  context.write(format === "json" ? jsonText(status) : statusText(status, Date.now(), paintFor(context)));
}

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) =>
      reject(
        new CodedError("service/unreachable", `no agent answers at \`${socketPath}\`: ${messageOf(cause)}`, { cause }),
      );
    const asked = request({ socketPath, path: statusPath, timeout: timeoutMillis }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
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

function statusText({ identities }: AgentStatusShape, nowMillis: number, paint: Paint): string {
  return linesText(
    identities.flatMap((identity, i) => [...(i === 0 ? [] : [""]), ...identityLines(identity, nowMillis, paint)]),
  );
}

function identityLines(identity: IdentityShape, nowMillis: number, paint: Paint): readonly string[] {
  const { certificate, bundle, files } = identity;
  const moment = (text: string) => momentText(Date.parse(text), nowMillis);
  const failureText = ({ code, message, at, tries }: FailureShape) =>
    `${message} [${code}], ${tries === 1 ? "once" : `${tries} times`}, last ${moment(at)}`;
  const isValid = identity.state === "valid";
  return [
    ...fieldsText([[identity.spiffeId, identity.state, isValid ? paint.good : paint.bad]]),
    ...fieldsText(
      [
        ["serial", certificate?.serial],
        ["since", certificate && moment(certificate.since)],
        ["until", certificate && moment(certificate.until)],
        ["next", identity.next === undefined ? "being asked for now" : moment(identity.next)],
        ["failed", identity.failure && failureText(identity.failure), paint.bad],
        ["bundle", bundle && bundleText(bundle), bundle?.rejected === undefined ? paint.faint : paint.bad],
        ["kept", identity.kept ? undefined : "not written to the state folder yet", paint.odd],
        ["socket", identity.socket],
        ...identity.streams.map((stream) => ["envoy", streamText(stream)] as const),
        ["workloads", identity.workloads.length === 0 ? undefined : `${identity.workloads.length} streams`],
        [
          "files",
          files &&
            `${files.folder}, ${files.written === undefined ? "not written yet" : `written ${moment(files.written)}`}`,
        ],
        ["reload", files?.reloaded === undefined ? undefined : `succeeded ${moment(files.reloaded)}`],
        ["files failed", files?.failure && failureText(files.failure), paint.bad],
      ],
      "  ",
    ),
  ];
}

function bundleText({ version, anchors, acknowledged, rejected }: NonNullable<IdentityShape["bundle"]>): string {
  const what = `${version.slice(0, 16)}…, ${anchors} root${anchors === 1 ? "" : "s"}`;
  if (rejected !== undefined) return `${what}, rejected: ${rejected}`;
  return acknowledged === true ? `${what}, acknowledged` : `${what}, not acknowledged yet`;
}

function streamText({ node, names }: StreamShape): string {
  const told = names.map(({ name, sent, acknowledged, rejected }) => {
    if (rejected !== undefined) return `${name} rejected: ${rejected.message}`;
    return `${name} ${sent === undefined ? "not sent yet" : acknowledged === sent ? "acknowledged" : "sent"}`;
  });
  return `${node === "" ? "(no node)" : node}: ${told.join(", ")}`;
}
