import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { askAdmin } from "#cli/request/admin-door";
import type { LoopDelay } from "./ca-server.ts";
import { median } from "./cpu.ts";
import { sendChecks } from "./grpc-load.ts";
import { meshFolder } from "./policies.ts";
import { benchRequest } from "./request.ts";
import { firstMatch } from "./server.ts";

export interface CommitCost {
  /** From the question of the service at its remote to the new rules in force, the fetch included, median. */
  readonly inForceMillis: number;
  readonly slowestMillis: number;
}

export interface ReloadCost {
  readonly checks: number;
  readonly reloads: number;
  /** With checks alone, and with reloads beside them. */
  readonly quiet: LoopDelay;
  readonly reloading: LoopDelay;
}

/** One policy of `policies` in a repository on this machine is changed and committed, and the running service told to look. */
export async function commitCost(policies: number, commits: number): Promise<CommitCost> {
  const service = await startFromGit(policies);
  try {
    const times: number[] = [];
    for (let i = 0; i < commits; i++) {
      service.commit(i);
      const begun = performance.now();
      await service.sync();
      times.push(performance.now() - begun);
    }
    return { inForceMillis: median(times), slowestMillis: Math.max(...times) };
  } finally {
    await service.stop();
  }
}

/** Commits that come into force while checks are asked over two connections. Rejects at the first check that is not answered. */
export async function reloadCost(rules: number, reloads: number): Promise<ReloadCost> {
  const service = await startFromGit(rules);
  // Every seventh policy is a DENY: take workloads whose own policy allows.
  const messages = Array.from({ length: 200 }, (_, i) => i * 7).map(benchRequest);
  let checks = 0;
  let ended = false;
  const load = async () => {
    while (!ended) {
      await sendChecks({ address: service.address, connections: 2, streams: 2, requests: 500 }, messages);
      checks += 500;
    }
  };
  try {
    await sendChecks({ address: service.address, connections: 2, streams: 2, requests: 5_000 }, messages);
    await service.loopDelay();
    const loading = load();
    const reloading = (async () => {
      try {
        await new Promise((resolve) => setTimeout(resolve, quietMillis));
        const quiet = await service.loopDelay();
        for (let i = 0; i < reloads; i++) {
          service.commit(i);
          await service.sync();
        }
        return { quiet, reloading: await service.loopDelay() };
      } finally {
        ended = true;
      }
    })();
    const [delays] = await Promise.all([reloading, loading]);
    return { checks, reloads, ...delays };
  } finally {
    ended = true;
    await service.stop();
  }
}

const quietMillis = 3_000;
const root = fileURLToPath(new URL("../", import.meta.url));

/** `garita serve` over a repository of so many policies, with its admin socket, in a process of its own. */
async function startFromGit(policies: number) {
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-git-"));
  const work = join(folder, "work");
  const git = (...args: string[]) => execFileSync("git", args, { cwd: work, stdio: ["ignore", "ignore", "inherit"] });
  for (const { path, bytes } of meshFolder(policies)) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), bytes);
  }
  const commit = (i: number) => {
    appendFileSync(join(work, "policies/0.yaml"), changed(i));
    git("add", "--all");
    git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", `change ${i}`);
  };
  git("init", "--quiet", "--initial-branch=main");
  git("config", "uploadpack.allowFilter", "true");
  commit(-1);
  writeFileSync(
    join(folder, "garita.yaml"),
    `listeners: [{ name: bench, protocol: grpc, address: "127.0.0.1:0", peerIdentity: verified }]
policies: { git: { url: "file://${work}", folder: state, pollSeconds: 3600 } }
admin: { socket: admin.sock }
logging: { level: info }
`,
  );
  const program = ["--import", join(root, "bench/loop-probe.ts"), join(root, "cli/main.ts")];
  const child = spawn(process.execPath, [...program, "serve", "--config", join(folder, "garita.yaml")], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const admin = firstMatch(child, /(admin\.sock)/);
  const port = await firstMatch(child, /"listener":"bench".*?127\.0\.0\.1:(\d+)/);
  await admin;
  child.stdout?.resume();
  child.stderr?.resume();
  return {
    address: `127.0.0.1:${port}`,
    commit,
    async sync() {
      const admin = `unix:${join(folder, "admin.sock")}`;
      const question = { admin, method: "POST", path: "/v1/sync", tokenFile: undefined, body: undefined } as const;
      const answer = await askAdmin({ ...question, patienceMillis: 60_000 }, (found) => "result" in found);
      if (answer.result !== "activated") throw new Error(`the commit is not in force: ${JSON.stringify(answer)}`);
    },
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

/** A policy more, of a workload that nothing asks about. */
function changed(i: number): string {
  return `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: changed-${i + 1}, namespace: elsewhere }
spec: { selector: { matchLabels: { app: changed } }, rules: [{ to: [{ operation: { paths: [/${i + 1}] } }] }] }
`;
}
