import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { writeWhole } from "#platform/write-whole";
import { program, type Ran } from "#test/support/cli/run-cli";
import { tempFolder } from "#test/support/service/temp-folder";

export const domain = "hello.mesh";
export const idOf = (name: string): string => `spiffe://${domain}/ns/hello/sa/${name}`;

/** A folder with a configuration, policies, and a store that `garita ca init` has made. */
export interface Mesh {
  readonly folder: string;
  readonly config: string;
  readonly store: string;
  readonly socket: string;
  at(name: string): string;
  /** Writes the configuration anew. `more`: lines of the `ca` section. */
  configure(more?: string, grpcAddress?: string): Promise<void>;
  /** Lets an identity be had by join tokens, and by those that have it. */
  register(name: string): Promise<void>;
  /** A command of `garita ca` with this configuration, as a program of its own. */
  own(...args: string[]): Promise<Ran>;
}

/** What one program that ended in peace has compiled, the next need not. */
export function compiledIn(folder: string): Record<string, string> {
  return { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(folder, "compiled") };
}

/** Doors on free ports and limits that no test meets, but for what `more` says. `store`: elsewhere than in the folder. */
export async function makeMesh(
  t: TestContext,
  { names = ["web"], more = "", store }: { names?: readonly string[]; more?: string; store?: string } = {},
): Promise<Mesh> {
  const folder = await tempFolder(t);
  await chmod(folder, 0o700);
  await mkdir(join(folder, "policies"));
  await writeFile(join(folder, "policies/mesh.yaml"), `trustDomain: ${domain}\n`);
  const at = (name: string) => join(folder, name);
  const config = at("garita.yaml");
  const mesh: Mesh = {
    folder,
    config,
    store: store ?? at("state/ca.sqlite"),
    socket: at("ca.sock"),
    at,
    configure: (lines = "", grpcAddress = "127.0.0.1:0") =>
      writeWhole(
        config,
        Buffer.from(`listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: a, labels: {} } }]
policies: { directory: policies }
ca:
  trustDomain: ${domain}
  store: ${mesh.store}
  keyEncryptionKeyFile: kek
  grpc: { address: "${grpcAddress}" }
  http: { address: "127.0.0.1:0" }
  socket: ca.sock
  limits: { perAddressPerSecond: 100000, perAddressBurst: 100000, perCallerPerSecond: 100000, perCallerBurst: 100000 }
${lines.includes("serverNames") ? "" : "  serverNames: [localhost]\n"}${lines}`),
      ),
    register: (name) =>
      writeFile(
        at(`policies/${name}.yaml`),
        `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: ${name}, namespace: hello }
spec:
  spiffeId: ${idOf(name)}
  callers:
    - joinToken: {}
`,
      ),
    own: (...args) => program(["ca", ...args, "-c", config], { environment: compiledIn(folder) }),
  };
  await mesh.configure(more);
  for (const name of names) await mesh.register(name);
  const made = await mesh.own("init", "--new-key-encryption-key");
  assert.equal(made.status, 0, made.err);
  return mesh;
}
