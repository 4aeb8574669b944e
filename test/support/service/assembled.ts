import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import { assemble } from "#cli/serve/assemble";
import type { Service } from "#cli/serve/contract";
import { startService } from "#cli/serve/start-service";
import { createLog } from "#platform/log";
import { cli } from "#test/support/cli/run-cli";
import { tempFolder } from "./temp-folder.ts";

/** A whole service in this process, out of its real parts. */
export interface AssembledService {
  readonly folder: string;
  readonly config: string;
  readonly service: Service;
  /** What an Envoy that tells these attributes of a peer gets: `200`, or `403` with the reason. */
  ask(peer: Peer): Promise<string>;
  /** Writes another configuration, and has it read. */
  reconfigure(yaml: string): Promise<readonly string[]>;
  /** Runs `garita ca` on it. */
  ca(...args: string[]): Promise<string>;
  stop(): Promise<void>;
  /** Stops it, and starts it again over the same files. */
  restart(): Promise<AssembledService>;
}

export interface Peer {
  readonly uri: string;
  readonly fingerprint?: string;
}

const listener = `listeners:
  - name: http
    protocol: http
    address: 127.0.0.1:0
    attributeHeaders: true
    peerIdentity: verified
    explainToClient: true
    workload: { namespace: hello, labels: {} }
  - name: grpc
    protocol: grpc
    address: 127.0.0.1:0
    peerIdentity: verified
    workload: { namespace: hello, labels: {} }
policies: { directory: policies }
`;

/** Starts a service whose policies allow everything; `more`: the rest of its configuration. With `ca` in it the authority is made first. It ends with the test. */
export async function startAssembled(
  t: TestContext,
  more: string,
  { policies = {} }: { readonly policies?: Readonly<Record<string, string>> } = {},
): Promise<AssembledService> {
  const folder = await tempFolder(t);
  await chmod(folder, 0o700);
  await mkdir(join(folder, "policies"));
  const files = { "mesh.yaml": "trustDomain: hello.mesh\n", ...policies };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "policies", name), text);
  const config = join(folder, "garita.yaml");
  await writeFile(config, listener + more);
  const ca = async (...args: string[]) => {
    const ran = await cli(["ca", ...args, "-c", config]);
    assert.equal(ran.status, 0, ran.err);
    return ran.out;
  };
  if (/^ca:/m.test(more)) await ca("init", "--new-key-encryption-key");
  return start(t, folder, config, ca);
}

async function start(
  t: TestContext,
  folder: string,
  config: string,
  ca: AssembledService["ca"],
): Promise<AssembledService> {
  const log = createLog({ level: "info", stream: new PassThrough().resume() });
  const service = await startService(await assemble({ config, environment: {}, log }));
  const stop = () => service.stop({ lingerMillis: 0, deadlineMillis: 2_000 });
  t.after(stop);
  return {
    folder,
    config,
    service,
    async ask({ uri, fingerprint = "" }) {
      const address = service.addresses().get("http");
      assert.ok(address?.kind === "tcp");
      const answer = await fetch(`http://127.0.0.1:${address.port}/`, {
        headers: {
          "x-garita-uris": `[${uri}]`,
          "x-garita-dns": "[]",
          "x-garita-subject": "[]",
          "x-garita-fingerprint": `[${fingerprint}]`,
        },
      });
      await answer.arrayBuffer();
      return answer.status === 200 ? "200" : `${answer.status} ${answer.headers.get("x-garita-reason")}`;
    },
    async reconfigure(yaml) {
      await writeFile(config, listener + yaml);
      return (await service.reload()).messages;
    },
    ca,
    stop,
    async restart() {
      await stop();
      return start(t, folder, config, ca);
    },
  };
}
