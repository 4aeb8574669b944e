import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { createAttest } from "#ca/agent/attest";
import { type CertificateFiles, writeCertificateFiles } from "#ca/agent/certificate-files";
import type { BundleStanding, OpenLink } from "#ca/agent/contract";
import { type IdentityLife, startIdentity } from "#ca/agent/identity-life";
import { createStateFolder } from "#ca/agent/state-folder";
import { type AgentDoor, serveAgentDoor } from "#ca/transport/agent-door/serve-agent-door";
import { createOpenLink } from "#ca/transport/authority-link/open-link";
import type { SpiffeId } from "#identity/spiffe-id";
import type { Clock } from "#platform/clock";
import { openChannel } from "#platform/grpc/open-channel";
import { createLifecycle } from "#platform/lifecycle";
import type { Log } from "#platform/log";
import { runCommand } from "#platform/run-command";
import { readPrivateSecret, readSecret } from "#platform/secret";
import { readShownCertificates } from "#platform/shown-certificates";
import type { Timers } from "#platform/timers";
import type { AgentConfig, AgentIdentityConfig } from "./model.ts";
import { serveAgentStatus } from "./serve-status.ts";
import { type AgentStatusShape, type RenewedShape, renderAgentStatus } from "./status-shape.ts";

export interface AgentStart {
  readonly config: AgentConfig;
  readonly version: string;
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 to 1, without 1. */
  readonly chance: () => number;
  readonly log: Log;
}

export interface RunningAgent {
  status(): AgentStatusShape;
  /** Has one identity, or with undefined each, renewed now. Resolves with the status when all have been answered; undefined: there is no such identity. */
  renew(spiffeId: string | undefined): Promise<RenewedShape | undefined>;
  /** Streams are told to go elsewhere; what is left when the deadline comes is cut off. */
  stop(deadlineMillis: number): Promise<void>;
}

const shownMillis = 10_000;

/**
 * Starts every identity of a configuration: its state is read, its socket opened, and its life goes on from there; then the status socket. Does not wait for certificates. Fails with
 * `agent/state` or `listen/failed`; then nothing stays open.
 */
export async function startAgent(start: AgentStart): Promise<RunningAgent> {
  const { config, version, log } = start;
  const lifecycle = createLifecycle(log);
  const openLink = createOpenLink({
    ...config.authority,
    ...start,
    openChannel,
    trustDomain: config.trustDomain,
    node: hostname(),
  });
  const identities: Awaited<ReturnType<typeof startOne>>[] = [];
  const status = () => renderAgentStatus(version, identities.map(describe));
  const renew = async (spiffeId: string | undefined) => {
    const wanted = identities.filter(
      ({ settings }) => spiffeId === undefined || settings.spiffeId.toString() === spiffeId,
    );
    if (wanted.length === 0) return undefined;
    const renewed = await Promise.all(wanted.map(({ life }) => life.renew()));
    return { ...renderAgentStatus(version, wanted.map(describe)), allRenewed: !renewed.includes(false) };
  };
  try {
    for (const each of config.identities) {
      const one = await startOne(start, each, openLink);
      identities.push(one);
      lifecycle.add({ name: each.spiffeId.toString(), stop: one.stop });
    }
    if (config.statusSocket !== undefined)
      lifecycle.add(await serveAgentStatus(config.statusSocket, { status, renew }));
  } catch (fault) {
    await lifecycle.stop(0);
    throw fault;
  }
  return { status, renew, stop: (deadlineMillis) => lifecycle.stop(deadlineMillis) };
}

interface RunningIdentity {
  readonly settings: AgentIdentityConfig;
  readonly life: IdentityLife;
  readonly door: AgentDoor;
  readonly files: CertificateFiles | undefined;
  stop(deadline: AbortSignal): Promise<void>;
}

async function startOne(
  { config, clock, timers, chance, log }: AgentStart,
  settings: AgentIdentityConfig,
  openLink: OpenLink,
): Promise<RunningIdentity> {
  const { spiffeId, attestation, socket, socketMode } = settings;
  const { address, serverName } = config.authority;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  let door: AgentDoor | undefined;
  let files: CertificateFiles | undefined;
  /** Streams, and the server that reads the files: it counts as soon as there is something to write. */
  const standingOf = ({ standing }: AgentDoor, version: string): BundleStanding => {
    const { waiting, rejected } = standing(version);
    const isServed = settings.files !== undefined && life.served.certificate() !== undefined;
    return { waiting: waiting + Number(isServed && files?.bundleInUse() !== version), rejected };
  };
  const life = await startIdentity({
    settings,
    state: createStateFolder(join(config.stateFolder, folderOf(spiffeId)), spiffeId),
    openLink,
    attest: createAttest({
      attestation,
      trustDomain: spiffeId.trustDomain,
      readPrivateSecret: async (file) => text(await readPrivateSecret(file)),
      readSecret: async (file) => text(await readSecret(file)),
      readText: (file) => readFile(file, "latin1"),
      shownByServer: () => readShownCertificates(address, serverName ?? address.host, shownMillis),
    }),
    standing: (version) => (door === undefined ? { waiting: 1, rejected: undefined } : standingOf(door, version)),
    clock,
    timers,
    chance,
    log,
  });
  try {
    door = await serveAgentDoor({ served: life.served, socket, socketMode, onChange: life.look, clock, timers, log });
  } catch (fault) {
    await life.stop();
    throw fault;
  }
  life.look();
  log.info({ spiffeId: spiffeId.toString(), socket }, "listening");
  const { nowMillis } = clock;
  files =
    settings.files &&
    writeCertificateFiles({
      settings: settings.files,
      served: life.served,
      run: (command, timeoutMillis) => runCommand(command, timeoutMillis, timers),
      nowMillis,
      timers,
      chance,
      log,
    });
  const [opened, written] = [door, files];
  return {
    settings,
    life,
    door,
    files,
    async stop(deadline) {
      await life.stop();
      await written?.stop();
      await opened.stop(deadline);
    },
  };
}

function describe({ settings, life, door, files }: RunningIdentity) {
  const { streams, workloads } = door.status();
  return { identity: life.status(), socket: settings.socket, streams, workloads, files: files?.status() };
}

const longestName = 200;

/** One folder for each identity: `~` is in no SPIFFE ID. A name that is too long for a file is its digest. */
function folderOf({ trustDomain, path }: SpiffeId): string {
  const name = `${trustDomain}${path.replaceAll("/", "~")}`;
  return name.length <= longestName ? name : createHash("sha256").update(name).digest("hex");
}
