import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TrustBundle } from "#ca/authorities/contract";
import type { KeyPair } from "#ca/authorities/generate-key";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { sameBytes } from "#ca/x509/bytes";
import { writePem } from "#ca/x509/pem";
import type { SpiffeId } from "#identity/spiffe-id";
import { CodedError, messageOf } from "#platform/coded-error";
import { replaceFile, syncFolder } from "#platform/replace-file";
import { acceptBundle } from "./accept-bundle.ts";
import { readChain } from "./accept-certificate.ts";
import type { HeldCertificate } from "./contract.ts";
import { readPrivateKey, writePrivateKey } from "./private-key.ts";

/** What a state folder holds of an identity. */
export interface KeptIdentity {
  readonly held: HeldCertificate | undefined;
  /** A key that was made for a request, whose certificate has not come. */
  readonly nextKey: KeyPair | undefined;
  readonly bundle: TrustBundle | undefined;
  /** What could not be used and is made anew, for the log. */
  readonly faults: readonly string[];
}

/** Where the state of one identity is kept, so that it outlives the process. All reject with `agent/state`. */
export interface StateFolder {
  load(): Promise<KeptIdentity>;
  /** ORDER: before the request: a certificate of a key that is lost is good for nothing. */
  keepNextKey(key: KeyPair): Promise<void>;
  /** Key and chain together, so that they always fit; the key for the request is forgotten. */
  keepCertificate(held: HeldCertificate): Promise<void>;
  keepBundle(bundle: TrustBundle): Promise<void>;
}

/** `identity.pem` has the key and behind it the chain, in one file, which is replaced as a whole. */
const files = { identity: "identity.pem", nextKey: "next-key.pem", bundle: "bundle.pem" } as const;
const fileMode = 0o600;
const mostBytes = 2 * 1024 * 1024;

/** The folder is made where it is not there, mode 0700; one that others may enter is refused. */
export function createStateFolder(folder: string, spiffeId: SpiffeId): StateFolder {
  const path = (file: keyof typeof files) => join(folder, files[file]);
  const attempt = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (cause) {
      if (cause instanceof CodedError && cause.code === "agent/state") throw cause;
      throw new CodedError("agent/state", `${what} the state folder \`${folder}\`: ${messageOf(cause)}`, { cause });
    }
  };
  const keep = (file: keyof typeof files, text: string) =>
    attempt("cannot write to", () => replaceFile(path(file), Buffer.from(text, "latin1"), fileMode));

  return {
    load: () =>
      attempt("cannot read", async () => {
        await makePrivate(folder);
        const faults: string[] = [];
        const read = async <T>(file: keyof typeof files, parse: (text: string) => T | Promise<T>) => {
          const text = await readWhole(path(file));
          if (text === undefined) return undefined;
          try {
            return await parse(text);
          } catch (fault) {
            faults.push(`\`${path(file)}\` is not used: ${messageOf(fault)}`);
            return undefined;
          }
        };
        const receivedMillis = await changedMillis(path("identity"));
        const held = await read("identity", (text) => identityOf(text, receivedMillis));
        const nextKey = await read("nextKey", readPrivateKey);
        const bundle = await read("bundle", (text) => acceptBundle(text, spiffeId.trustDomain, 1));
        const isNext = nextKey !== undefined && !sameKey(held, nextKey);
        return { held, nextKey: isNext ? nextKey : undefined, bundle, faults };
      }),
    keepNextKey: ({ privateKey }) => keep("nextKey", writePrivateKey(privateKey)),
    async keepCertificate({ privateKey, chain }) {
      const certificates = chain.map(({ der }) => writePem("CERTIFICATE", der)).join("");
      await keep("identity", `${writePrivateKey(privateKey)}${certificates}`);
      await attempt("cannot write to", async () => {
        await rm(path("nextKey"), { force: true });
        await syncFolder(folder);
      });
    },
    keepBundle: (bundle) => keep("bundle", renderBundlePem(bundle)),
  };
}

async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if ((mode & 0o077) === 0) return;
  const found = (mode & 0o777).toString(8);
  throw new CodedError(
    "agent/state",
    `the state folder \`${folder}\` has the mode 0${found}: expected 0700 (\`chmod 700\`)`,
  );
}

async function readWhole(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw cause;
  });
  if (bytes !== undefined && bytes.length > mostBytes) throw new Error(`\`${path}\` is larger than a state can be`);
  return bytes?.toString("latin1");
}

/** A certificate was written when it came. */
async function changedMillis(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return Math.floor(found?.mtimeMs ?? 0);
}

function identityOf(text: string, receivedMillis: number): HeldCertificate {
  const end = text.indexOf("-----BEGIN CERTIFICATE-----");
  if (end < 0) throw new Error("it holds no certificate");
  const { privateKey, publicKey } = readPrivateKey(text.slice(0, end));
  const chain = readChain(text.slice(end));
  if (!sameBytes(chain[0]!.spkiDer, publicKey.spkiDer)) throw new Error("key and certificate do not belong together");
  return Object.freeze({ privateKey, chain, receivedMillis });
}

function sameKey(held: HeldCertificate | undefined, { publicKey }: KeyPair): boolean {
  return held !== undefined && sameBytes(held.chain[0]!.spkiDer, publicKey.spkiDer);
}
