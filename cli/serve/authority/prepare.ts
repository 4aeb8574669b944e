import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type KeyEncryptionKey, readKeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import { prepareTokenIssuers, type TokenIssuers } from "#ca/callers/token-issuers";
import { readBlockedKeys } from "#ca/csr/blocked-keys";
import { KeyPolicy } from "#ca/csr/key-policy";
import type { AuthorityConfiguration } from "#ca/service/open-authority";
import { readKeySet } from "#identity/key-set/read-key-set";
import { CodedError, messageOf } from "#platform/coded-error";
import type { CaConfig, CaIssuerConfig } from "../../config/ca-model.ts";

/** A configuration of the authority with what its files hold. */
export interface PreparedAuthority {
  readonly config: CaConfig;
  readonly keyEncryptionKey: KeyEncryptionKey;
  readonly issuers: TokenIssuers;
  readonly configuration: AuthorityConfiguration;
  /** Equal for equal contents of its files. */
  readonly fileDigests: { readonly issuers: string; readonly blockedKeys: string };
}

/** Verdicts on so many RSA keys are remembered, 300 bytes each: a fleet of sidecars that keep their keys. */
const rememberedKeys = 32_768;
/** Requests that wait hold at most so much. */
const waitingBytes = 64 * 1024 * 1024;

/** Reads the files that the authority needs. Fails with the coded error of the first that cannot be used. */
export async function prepareAuthority(
  config: CaConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<PreparedAuthority> {
  const keyEncryptionKey = await readKeyEncryptionKey({ file: config.keyEncryptionKeyFile, environment });
  const blockedKeys =
    config.blockedKeysFile === undefined ? new Set<string>() : await readBlockedKeys(config.blockedKeysFile);
  const { leaf, csrNames, renewalGraceSeconds, admins, limits } = config;
  const issuers = await Promise.all(config.issuers.map(readIssuer));
  const digestOf = (value: unknown) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
  return {
    config,
    keyEncryptionKey,
    issuers: prepareTokenIssuers(issuers),
    fileDigests: {
      issuers: digestOf(issuers),
      blockedKeys: digestOf([...blockedKeys]),
    },
    configuration: {
      issuance: { ...leaf, csrNames, renewalGraceSeconds },
      admins,
      rates: limits,
      admission: { inFlight: limits.inFlight, waiting: limits.waiting, waitingBytes },
      keyPolicy: new KeyPolicy({ blockedKeys, rememberedKeys }),
    },
  };
}

/** INVARIANT: a file of keys that is not understood is refused as a whole: the keys that were there before stay. */
async function readIssuer({ issuer, audiences, keys }: CaIssuerConfig) {
  if (keys.kind !== "file") return { issuer, audiences, keys };
  const text = await readFile(keys.path, "utf8").catch((cause: unknown) => {
    throw new CodedError("ca-issuer/keys", `cannot read the keys \`${keys.path}\`: ${messageOf(cause)}`, { cause });
  });
  const read = readKeySet(text);
  if (!read.ok)
    throw new CodedError("ca-issuer/keys", `\`${keys.path}\` holds no key set that can be used: found ${read.fault}`);
  return { issuer, audiences, keys: { kind: "inline", text } } as const;
}
