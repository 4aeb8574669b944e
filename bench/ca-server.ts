import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { entry, openScene, operator, sceneDomain } from "#test/support/ca/scene";
import type { IssuerKind } from "./ca-limit.ts";
import { freshRequests } from "./ca-requests.ts";
import { firstMatch } from "./server.ts";

/** An agent that has its first certificate. PEM. */
export interface EnrolledAgent {
  readonly spiffeId: string;
  readonly cert: string;
  readonly key: string;
}

/** `garita serve` with a certificate authority, in a process of its own. */
export interface AuthorityServer {
  readonly pid: number;
  readonly port: number;
  readonly roots: string;
  readonly agents: readonly EnrolledAgent[];
  /** What its loop did since the last question; it must have been started with `watched`. */
  loopDelay(): Promise<LoopDelay>;
  stop(): Promise<void>;
}

/** Delays of the event loop: how late timers of ten milliseconds were, themselves included; and processor time of the thread between two of them. */
export interface LoopDelay {
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly longestMillis: number;
  readonly busyP99Millis: number;
  readonly busyLongestMillis: number;
}

export interface AuthorityServerOptions {
  readonly issuer: IssuerKind;
  /** The identity of each agent. */
  readonly identities: readonly string[];
  /** What `ca.limits` says; undefined: nothing, so that the defaults count. */
  readonly limits: string | undefined;
}

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Makes an authority and enrols its agents in this process, then hands its store to `garita serve`: everything as a user would configure it, TLS with the certificate that the authority
 * issues to itself, the record in a new store.
 */
export async function startAuthorityServer(options: AuthorityServerOptions): Promise<AuthorityServer> {
  const { folder, file, roots, agents } = await enrolAgents(options);
  writeConfiguration(folder, file, options);
  const program = ["--import", join(root, "bench/loop-probe.ts"), join(root, "cli/main.ts")];
  const child = spawn(process.execPath, [...program, "serve", "--config", join(folder, "garita.yaml")], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, GARITA_CA_KEY_ENCRYPTION_KEY: "a secret of the tests alone" },
  });
  const port = Number(await firstMatch(child, /"listener":"ca-grpc","address":"127\.0\.0\.1:(\d+)"/));
  child.stdout?.resume();
  child.stderr?.resume();
  return {
    pid: child.pid!,
    port,
    roots,
    agents,
    async loopDelay() {
      child.send("loop delay");
      const [answer] = await once(child, "message");
      return answer as LoopDelay;
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function enrolAgents({ issuer, identities }: AuthorityServerOptions) {
  const distinct = [...new Set(identities)];
  const scene = await openScene({ issuingKeyKind: issuer, entries: distinct.map((id) => entry(id)) });
  const enrolled = identities.map(async (spiffeId): Promise<EnrolledAgent & { readonly roots: string }> => {
    const [request] = freshRequests(1, spiffeId);
    const answer = await scene.issue({ csrPem: request!.csrPem, spiffeId, credentials: operator });
    if (!answer.ok) throw new Error(`not enrolled: ${answer.code}`);
    return {
      spiffeId,
      cert: answer.chain.slice(0, -1).join(""),
      key: String(request!.privateKey.export({ type: "pkcs8", format: "pem" })),
      roots: answer.chain.at(-1)!,
    };
  });
  const agents = await Promise.all(enrolled);
  await scene.close();
  return { folder: scene.folder, file: scene.file, roots: agents[0]!.roots, agents };
}

function writeConfiguration(folder: string, store: string, { issuer, identities, limits }: AuthorityServerOptions) {
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "policies", "mesh.yaml"), `trustDomain: ${sceneDomain}\n`);
  const registrations = [...new Set(identities)].map((spiffeId, i) =>
    JSON.stringify({
      apiVersion: "garita.dev/v1alpha1",
      kind: "WorkloadRegistration",
      metadata: { name: `agent-${i}`, namespace: "bench" },
      spec: { spiffeId, callers: [{ joinToken: {} }] },
    }),
  );
  writeFileSync(join(folder, "policies", "registrations.yaml"), registrations.join("\n---\n"));
  const listener = "{ name: bench, protocol: grpc, address: '127.0.0.1:0', peerIdentity: verified }";
  const ca = [
    `trustDomain: ${sceneDomain}`,
    `store: ${store}`,
    "serverNames: [localhost]",
    "grpc: { address: '127.0.0.1:0' }",
    `issuing: { keyKind: ${issuer} }`,
    ...(limits === undefined ? [] : [`limits: ${limits}`]),
  ];
  const text = `listeners: [${listener}]\npolicies: { directory: policies }\nca: { ${ca.join(", ")} }\n`;
  writeFileSync(join(folder, "garita.yaml"), text);
}
