import type { FileStatus } from "#ca/agent/certificate-files";
import type { AgentFailure, IdentityStatus } from "#ca/agent/contract";
import type { WorkloadStream } from "#ca/transport/workload-api/serve-workloads";
import type { StreamStatus } from "#xds/contract";

/** What is known of one identity when the status is asked for. */
export interface IdentityParts {
  readonly identity: IdentityStatus;
  readonly socket: string;
  readonly streams: readonly StreamStatus[];
  readonly workloads: readonly WorkloadStream[];
  readonly files: FileStatus | undefined;
}

/** The status as JSON: times are RFC 3339, what is not there is left out. */
export interface AgentStatusShape {
  readonly version: string;
  readonly identities: readonly IdentityShape[];
}

/** What is answered to a renewal: of the identities that it was of. */
export interface RenewedShape extends AgentStatusShape {
  readonly allRenewed: boolean;
}

export interface IdentityShape {
  readonly spiffeId: string;
  readonly state: IdentityStatus["state"];
  readonly socket: string;
  readonly certificate?: {
    readonly serial: string;
    readonly since: string;
    readonly until: string;
    readonly received: string;
  };
  /** When the authority is asked next; not there: it is being asked. */
  readonly next?: string;
  readonly failure?: FailureShape;
  readonly bundle?: NonNullable<IdentityStatus["bundle"]>;
  /** Does the state folder hold what is served? */
  readonly kept: boolean;
  readonly streams: readonly StreamShape[];
  readonly workloads: readonly { readonly method: string; readonly since: string; readonly bundle?: string }[];
  readonly files?: {
    readonly folder: string;
    readonly written?: string;
    readonly reloaded?: string;
    readonly failure?: FailureShape;
  };
}

export interface FailureShape {
  readonly code: string;
  readonly message: string;
  readonly at: string;
  readonly tries: number;
}

export interface StreamShape {
  readonly node: string;
  readonly since: string;
  readonly names: readonly {
    readonly name: string;
    readonly sent?: string;
    readonly acknowledged?: string;
    readonly rejected?: { readonly version: string; readonly message: string };
  }[];
  readonly leftOut: number;
}

/** Renders what is known of the identities. */
export function renderAgentStatus(version: string, identities: readonly IdentityParts[]): AgentStatusShape {
  return { version, identities: identities.map(identityShape) };
}

function identityShape({ identity, socket, streams, workloads, files }: IdentityParts): IdentityShape {
  const { spiffeId, state, certificate, nextMillis, failure, bundle, kept } = identity;
  return {
    spiffeId,
    state,
    socket,
    ...(certificate && {
      certificate: {
        serial: certificate.serialHex,
        since: iso(certificate.notBeforeMillis),
        until: iso(certificate.notAfterMillis),
        received: iso(certificate.receivedMillis),
      },
    }),
    ...(nextMillis !== undefined && { next: iso(nextMillis) }),
    ...(failure && { failure: failureShape(failure) }),
    ...(bundle && { bundle }),
    kept,
    streams: streams.map(streamShape),
    workloads: workloads.map(({ method, sinceMillis, bundleVersion }) => ({
      method,
      since: iso(sinceMillis),
      ...(bundleVersion !== undefined && { bundle: bundleVersion }),
    })),
    ...(files && { files: fileShape(files) }),
  };
}

function streamShape({ node, sinceMillis, names, leftOut }: StreamStatus): StreamShape {
  return {
    node,
    since: iso(sinceMillis),
    names: names.map(({ name, sent, acknowledged, rejected }) => ({
      name,
      ...(sent !== undefined && { sent }),
      ...(acknowledged !== undefined && { acknowledged }),
      ...(rejected && { rejected: { version: rejected.version, message: rejected.message } }),
    })),
    leftOut,
  };
}

function fileShape({
  folder,
  writtenMillis,
  reloadedMillis,
  failure,
}: FileStatus): NonNullable<IdentityShape["files"]> {
  return {
    folder,
    ...(writtenMillis !== undefined && { written: iso(writtenMillis) }),
    ...(reloadedMillis !== undefined && { reloaded: iso(reloadedMillis) }),
    ...(failure && { failure: failureShape(failure) }),
  };
}

function failureShape({ code, message, atMillis, tries }: AgentFailure): FailureShape {
  return { code, message, at: iso(atMillis), tries };
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
