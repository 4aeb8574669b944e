import { momentText } from "../ca/duration.ts";
import { fieldsText, linesText, type Paint } from "../ca/paint.ts";
import type { AgentStatusShape, FailureShape, IdentityShape, StreamShape } from "./status-shape.ts";

/** The status of an agent for people. */
export function statusText({ identities }: AgentStatusShape, nowMillis: number, paint: Paint): string {
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
