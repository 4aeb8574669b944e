import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ChainCase, Tool } from "./chains.ts";

const run = promisify(execFile);

/** What another validator says, and in its words why. */
export interface OtherVerdict {
  readonly accepts: boolean;
  readonly said: string;
}

type Validator = (cases: readonly ChainCase[]) => Promise<readonly OtherVerdict[]>;

/**
 * Other programs, asked whether each chain is a TLS client's now, with the anchors of all trust domains in one pool. Undefined for a program that is not
 * installed. Go's is built on the spot.
 */
export async function findValidators(): Promise<Readonly<Record<Tool, Validator | undefined>>> {
  const has = (command: string, ...args: readonly string[]) =>
    run(command, args).then(
      () => true,
      () => false,
    );
  return {
    openssl: (await has("openssl", "version")) ? (cases) => byFiles(cases, askOpenssl) : undefined,
    gnutls: (await has("certtool", "--version")) ? (cases) => byFiles(cases, askCerttool) : undefined,
    go: (await has("go", "version")) ? askGo : undefined,
  };
}

interface ChainFiles {
  readonly leaf: string;
  /** What was presented beside the leaf; undefined: nothing. */
  readonly between: string | undefined;
  /** The leaf first. */
  readonly whole: string;
  readonly anchors: string;
}

async function byFiles(
  cases: readonly ChainCase[],
  ask: (files: ChainFiles) => Promise<OtherVerdict>,
): Promise<readonly OtherVerdict[]> {
  const directory = await mkdtemp(join(tmpdir(), "garita-chains-"));
  try {
    const verdicts: OtherVerdict[] = [];
    for (const [i, { chain, bundles }] of cases.entries()) {
      const write = async (name: string, ders: readonly Uint8Array[]) => {
        const path = join(directory, `${i}-${name}.pem`);
        await writeFile(path, ders.map(pem).join(""));
        return path;
      };
      const [leaf, ...between] = chain as [Uint8Array, ...Uint8Array[]];
      verdicts.push(
        await ask({
          leaf: await write("leaf", [leaf]),
          between: between.length === 0 ? undefined : await write("between", between),
          whole: await write("whole", chain),
          anchors: await write("anchors", Object.values(bundles).flat()),
        }),
      );
    }
    return verdicts;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function askOpenssl({ leaf, between, anchors }: ChainFiles): Promise<OtherVerdict> {
  const untrusted = between === undefined ? [] : ["-untrusted", between];
  return verdictOf("openssl", [
    "verify",
    "-x509_strict",
    "-purpose",
    "sslclient",
    "-no-CApath",
    "-CAfile",
    anchors,
    ...untrusted,
    leaf,
  ]);
}

function askCerttool({ whole, anchors }: ChainFiles): Promise<OtherVerdict> {
  const purpose = ["--verify-purpose", "1.3.6.1.5.5.7.3.2"];
  return verdictOf("certtool", ["--verify", "--load-ca-certificate", anchors, ...purpose, "--infile", whole]);
}

/** Both end with 0 when they accept. */
async function verdictOf(command: string, args: readonly string[]): Promise<OtherVerdict> {
  try {
    const { stdout, stderr } = await run(command, args);
    return { accepts: true, said: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { accepts: false, said: stdout + stderr };
  }
}

const goSource = fileURLToPath(new URL("go-verifier/main.go", import.meta.url));

async function askGo(cases: readonly ChainCase[]): Promise<readonly OtherVerdict[]> {
  const directory = await mkdtemp(join(tmpdir(), "garita-go-verifier-"));
  try {
    const binary = join(directory, "verifier");
    await run("go", ["build", "-o", binary, goSource], {
      cwd: directory,
      env: { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "" },
    });
    const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
    const answers = text(child.stdout);
    const base64 = (ders: readonly Uint8Array[]) => ders.map((der) => Buffer.from(der).toString("base64"));
    for (const { chain, bundles } of cases) {
      const question = { chain: base64(chain), anchors: base64(Object.values(bundles).flat()), atMillis: Date.now() };
      child.stdin.write(`${JSON.stringify(question)}\n`);
    }
    child.stdin.end();
    const [[code], said] = await Promise.all([once(child, "exit"), answers]);
    if (code !== 0) throw new Error(`Go's verifier ended with ${code}`);
    return said
      .trimEnd()
      .split("\n")
      .map((line) => ({ accepts: line === "accepts", said: line }));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
