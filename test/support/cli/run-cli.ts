import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "#cli/run";
import { tempFolder } from "#test/support/service/temp-folder";

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  readonly environment?: Readonly<Record<string, string>>;
  readonly terminal?: { readonly output: boolean; readonly errors: boolean };
  readonly input?: string | Uint8Array;
}

/** Runs a command in this process. */
export async function cli(args: readonly string[], around: Around = {}): Promise<Ran> {
  const { environment = {}, terminal = { output: false, errors: false }, input = "" } = around;
  let out = "";
  let err = "";
  const status = await run(args, {
    environment,
    terminal,
    write(text) {
      out += text;
    },
    writeError(text) {
      err += text;
    },
    readInput: async () => (typeof input === "string" ? new TextEncoder().encode(input) : input),
    readLine: async () => input.toString().split("\n")[0]!,
  });
  return { status, out, err };
}

export const main = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));

/** Runs the program itself. */
export async function program(
  args: readonly string[],
  { input = "", cwd, environment = {} }: { input?: string; cwd?: string; environment?: Record<string, string> } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...process.env, ...environment } });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.end(input);
  const [status] = (await once(child, "close")) as [number];
  return { status, out, err };
}

/** A folder with files, gone when the test is over. */
export async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder(t);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** An AuthorizationPolicy in namespace `shop`; `spec` is the inside of a flow mapping. */
export function policy(name: string, spec: string): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: { ${spec} }
`;
}

export const readers = policy("readers", "action: ALLOW, rules: [{ to: [{ operation: { methods: [GET] } }] }]");
