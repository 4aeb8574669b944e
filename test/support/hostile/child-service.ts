import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, parseAddress } from "#platform/address";

/** What a process holds, in bytes, after a collection of garbage. */
export interface Held {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** A service that runs in a process of its own. */
export interface ChildService {
  readonly folder: string;
  /** Of a listener by its name, or `admin` for the admin API over TCP. */
  address(name: string): Address & { readonly kind: "tcp" };
  readonly adminSocket: string;
  /** Undefined while it runs: else how it ended. */
  ended(): string | undefined;
  held(): Promise<Held>;
  /** Everything that it has written to its log. */
  log(): string;
  stop(): Promise<number | null>;
}

/** Policies of the attacked service: one path is allowed, one below it is denied, and headers decide on others. */
const policies: Readonly<Record<string, string>> = {
  "mesh.yaml": "trustDomain: cluster.local\nrootNamespace: istio-system\n",
  "shop/policies.yaml": `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: open, namespace: shop }
spec:
  action: ALLOW
  rules:
    - to: [{ operation: { paths: ["/ok", "/ok/*"] } }]
    - from: [{ source: { principals: ["cluster.local/ns/shop/sa/friend"] } }]
      to: [{ operation: { paths: ["/friends"] } }]
    - to: [{ operation: { hosts: ["inside.example"], paths: ["/inside"] } }]
    - when: [{ key: "request.headers[x-role]", values: ["admin"] }]
      to: [{ operation: { paths: ["/roles"] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: closed, namespace: shop }
spec:
  action: DENY
  rules:
    - to: [{ operation: { paths: ["/ok/admin*"] } }]
    - when: [{ key: "request.headers[x-role]", values: ["guest"] }]
`,
};

const main = fileURLToPath(new URL("service-main.ts", import.meta.url));
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Starts `garita serve` with a gRPC listener, an HTTP listener and both doors of the admin API. `listener` is laid over both. */
export async function startChild(
  options: { readonly listener?: string; readonly files?: Readonly<Record<string, string>> } = {},
): Promise<ChildService> {
  const folder = await mkdtemp(join(tmpdir(), "garita-hostile-"));
  const adminSocket = join(folder, "admin.sock");
  const more = options.listener === undefined ? "" : `, ${options.listener}`;
  const files: Record<string, string> = { "garita.yaml": configuration(adminSocket, more), ...options.files };
  for (const [name, text] of Object.entries(policies)) files[`policies/${name}`] ??= text;
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const child = fork(main, ["serve", "-c", join(folder, "garita.yaml"), "--linger", "0", "--drain", "1"], {
    cwd: root,
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let text = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  }
  const addresses = await listening(child, () => text);
  return {
    folder,
    adminSocket,
    address(name) {
      const address = addresses.get(name);
      if (address?.kind !== "tcp") throw new Error(`no listener ${name}:\n${text}`);
      return address;
    },
    ended: () =>
      child.exitCode === null && child.signalCode === null
        ? undefined
        : `${child.exitCode} ${child.signalCode}\n${text.slice(-2000)}`,
    async held() {
      child.send("memory");
      const [held] = await once(child, "message");
      return held as Held;
    },
    log: () => text,
    async stop() {
      const gone = child.exitCode === null ? once(child, "exit") : undefined;
      child.kill("SIGTERM");
      await gone;
      await rm(folder, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}

function configuration(adminSocket: string, more: string): string {
  return `listeners:
  - { name: grpc, protocol: grpc, address: "127.0.0.1:0", peerIdentity: verified${more} }
  - { name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: { app: web } }, destination: { address: 10.0.0.1, port: 8080 }${more} }
policies: { directory: policies }
admin: { address: "127.0.0.1:0", socket: ${JSON.stringify(adminSocket)} }
`;
}

/** Waits for the lines that tell where everything listens: two listeners and two doors of the admin API, and a rule set. */
function listening(child: ChildProcess, read: () => string): Promise<Map<string, Address>> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const addresses = new Map<string, Address>();
      let ready = false;
      for (const line of read().split("\n")) {
        if (!line.startsWith("{") || !line.endsWith("}")) continue;
        const entry = JSON.parse(line) as { msg?: string; listener?: string; address?: string };
        if (entry.msg === "rule set in force") ready = true;
        if (entry.msg !== "listening" || entry.listener === undefined) continue;
        const address = parseAddress(entry.address!)!;
        addresses.set(address.kind === "unix" ? "socket" : entry.listener, address);
      }
      if (!ready || addresses.size < 4) return;
      child.stdout!.off("data", look);
      resolve(addresses);
    };
    child.stdout!.on("data", look);
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}:\n${read()}`)));
  });
}
