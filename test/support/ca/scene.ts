import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openAuthorities } from "#ca/authorities/authorities";
import { importAuthority } from "#ca/authorities/import-authority";
import { KeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import type { AuthorityMaterial } from "#ca/authorities/read-authority-files";
import { defaultAuthoritySettings } from "#ca/authorities/settings";
import type { Credentials } from "#ca/callers/contract";
import { prepareTokenIssuers } from "#ca/callers/token-issuers";
import { buildCsr } from "#ca/csr/build-csr";
import { KeyPolicy } from "#ca/csr/key-policy";
import type { CertificateAnswer, CertificateRequest } from "#ca/issuance/contract";
import type { ObservedOutcome } from "#ca/issuance/issue-certificate";
import { issuanceDefaults } from "#ca/issuance/settings";
import { buildRegistrations } from "#ca/registration/build-registrations";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { BundleStream, RotationSettings } from "#ca/rotation/contract";
import { type AuthorityConfiguration, openAuthority, type RunningAuthority } from "#ca/service/open-authority";
import { headFileOf, readHeadFile, writeHeadFile } from "#ca/store/head-file";
import { openSqliteStore, type SqliteStore } from "#ca/store/sqlite/open";
import type { KeyKind } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import type { KeySets } from "#identity/key-sources/contract";
import { createTokenVerifier } from "#identity/token/verify";
import { createIds } from "#platform/ids";
import { createLog, type Log } from "#platform/log";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { systemTimers } from "#platform/timers";
import { afterAll } from "#test/support/service/after-all";

export const sceneDomain = "hello.mesh";

/** An authority in a folder of its own, with every part real but for what the test changes. */
export interface Scene {
  readonly folder: string;
  readonly file: string;
  readonly store: SqliteStore;
  readonly authority: RunningAuthority;
  readonly outcomes: readonly ObservedOutcome[];
  /** What the wall clock adds to the machine's. */
  shiftMillis: number;
  issue(change: Partial<CertificateRequest>): Promise<CertificateAnswer>;
  close(): Promise<void>;
}

export interface SceneChanges {
  readonly entries?: readonly RegistrationEntry[];
  readonly configuration?: Partial<AuthorityConfiguration>;
  readonly issuingKeyKind?: KeyKind;
  readonly rootKeyKind?: KeyKind;
  readonly folder?: string;
  readonly trustDomain?: string;
  readonly keySets?: KeySets;
  readonly issuers?: Parameters<typeof prepareTokenIssuers>[0];
  readonly serverNames?: readonly string[];
  readonly rotationSettings?: RotationSettings;
  readonly streams?: () => readonly BundleStream[];
  /** Wraps the store, to make it fail. */
  readonly wrapStore?: (store: SqliteStore) => SqliteStore;
  readonly maxStoreBytes?: number;
  /** How long ago the authority was made. */
  readonly authorityAgeMillis?: number;
  /** Instead of one that makes its own keys: one whose keys the test has too. */
  readonly imported?: AuthorityMaterial;
  /** Undefined: nothing is written. */
  readonly log?: Log;
  /** What the wall clock adds to the machine's from the beginning. */
  readonly shiftMillis?: number;
  /** What rates are measured with. Undefined: the machine's. */
  readonly monotonicMillis?: () => number;
}

export function entry(id: string, change: Partial<RegistrationEntry> = {}): RegistrationEntry {
  return {
    name: `test/${id.split("/").at(-1)}`,
    source: { file: "registrations.yaml", line: 1 },
    spiffeId: [{ kind: "text", text: id }],
    callers: [{ kind: "join-token" }],
    dnsNames: [],
    keyKinds: [],
    ttlSeconds: undefined,
    maxTtlSeconds: undefined,
    ...change,
  };
}

export const webId = `spiffe://${sceneDomain}/ns/hello/sa/web`;
export const operator: Credentials = {
  clientCertificates: [],
  bearer: undefined,
  operatorSocket: true,
  remoteAddress: undefined,
};
export const nobody: Credentials = { ...operator, operatorSocket: false, remoteAddress: "127.0.0.9" };

const wideLimits = {
  rates: { perAddressPerSecond: 1e6, perAddressBurst: 1e6, perCallerPerSecond: 1e6, perCallerBurst: 1e6 },
  admission: { inFlight: 64, waiting: 20_000, waitingBytes: 256 * 1024 * 1024 },
};

const noKeys: KeySets = { of: () => ({ kind: "unfetched" }) };

/** Opens, and initialises when its store is new. */
export async function openScene(changes: SceneChanges = {}): Promise<Scene> {
  const folder = changes.folder ?? mkdtempSync(join(tmpdir(), "garita-ca-"));
  chmodSync(folder, 0o700);
  const file = join(folder, "ca.db");
  const log = changes.log ?? createLog({ level: "silent" }).log;
  const scene = { shiftMillis: changes.shiftMillis ?? 0 };
  const monotonicMillis = changes.monotonicMillis ?? (() => performance.now());
  const clock = { nowMillis: () => Date.now() + scene.shiftMillis, monotonicMillis };
  const sqlite = await openSqliteStore({
    file,
    nowMillis: clock.nowMillis,
    log,
    ...(changes.maxStoreBytes === undefined ? {} : { maxSizeBytes: changes.maxStoreBytes }),
  });
  const store = changes.wrapStore?.(sqlite) ?? sqlite;
  const outcomes: ObservedOutcome[] = [];
  const entries = changes.entries ?? [entry(webId)];
  const index = buildRegistrations(entries);
  const configuration: AuthorityConfiguration = {
    issuance: issuanceDefaults,
    admins: [],
    ...wideLimits,
    keyPolicy: new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 10_000 }),
    ...changes.configuration,
  };
  const authoritySettings = {
    ...defaultAuthoritySettings,
    issuingKeyKind: changes.issuingKeyKind ?? "P-256",
    rootKeyKind: changes.rootKeyKind ?? "P-256",
  };
  // The cheapest scrypt that is taken: keys of a test are worth nothing.
  const keyEncryptionKey = KeyEncryptionKey.of(Buffer.from("a secret of the tests alone"));
  const common = {
    store,
    keyEncryptionKey,
    trustDomain: changes.trustDomain ?? sceneDomain,
    clock,
    timers: systemTimers,
    log,
  };
  if ((await store.authorities()).length === 0) {
    const { authorityAgeMillis = 0 } = changes;
    const made = { ...clock, nowMillis: () => clock.nowMillis() - authorityAgeMillis };
    const fresh = await openAuthorities({ ...common, clock: made, settings: authoritySettings, random: randomBytes });
    if (changes.imported === undefined) await fresh.initialise("test");
    else await fresh.adopt(importAuthority(changes.imported, clock.nowMillis()), "test");
    fresh.close();
  }
  const issuers = prepareTokenIssuers(changes.issuers ?? []);
  const headFile = headFileOf(file);
  const opening = openAuthority({
    ...common,
    authoritySettings,
    ...(changes.rotationSettings === undefined ? {} : { rotationSettings: changes.rotationSettings }),
    ...(changes.streams === undefined ? {} : { streams: changes.streams }),
    configuration: () => configuration,
    serverNames: changes.serverNames ?? [],
    registrations: () => ({ entries, index }),
    tokens: {
      issuers: () => issuers,
      keySets: () => changes.keySets ?? noKeys,
      missed: () => undefined,
      verifyToken: createTokenVerifier(createSignatureVerifier()),
    },
    randomBytes,
    nextId: createIds({ nowMillis: Date.now, random: randomBytes }),
    nextTurn: setImmediate,
    onOutcome: (outcome) => void outcomes.push(outcome),
    exportHead: (head) => writeHeadFile(headFile, head),
    exportedHead: () => readHeadFile(headFile),
    onServerCertificate: () => undefined,
  });
  // A store that stays open could not be opened again.
  const authority = await opening.catch(async (fault: unknown) => {
    await store.close();
    throw fault;
  });
  return Object.assign(scene, {
    folder,
    file,
    store,
    authority,
    outcomes,
    issue: (change: Partial<CertificateRequest>) =>
      authority.service.issue({
        csrPem: "",
        ttlSeconds: undefined,
        spiffeId: undefined,
        credentials: nobody,
        door: "test",
        certSigner: undefined,
        impersonatedIdentity: undefined,
        ...change,
      }),
    async close() {
      await authority.stop();
      await store.close();
    },
  });
}

/** Ends a scene, and its folder with it. */
export async function endScene(scene: Scene): Promise<void> {
  await scene.close();
  rmSync(scene.folder, { recursive: true, force: true });
}

/** A scene that ends with the test, its folder with it. */
export async function testScene(t: TestContext, changes: SceneChanges = {}): Promise<Scene> {
  const scene = await openScene(changes);
  afterAll(t, () => endScene(scene));
  return scene;
}

/** A key of the kind, and a request of it in PEM. */
export function newCsr(
  kind: KeyKind = "P-256",
  uri?: string,
): { readonly privateKey: KeyObject; readonly csrPem: string } {
  const { privateKey } = kind.startsWith("RSA")
    ? generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) })
    : generateKeyPairSync("ec", { namedCurve: kind });
  return { privateKey, csrPem: writePem("CERTIFICATE REQUEST", buildCsr(privateKey, uri)) };
}
