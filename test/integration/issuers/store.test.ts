import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import type { KeySource } from "#identity/key-set/key-source";
import type { FetchDocument, KeySetStore } from "#identity/key-sources/contract";
import { readDiscovery } from "#identity/key-sources/discovery";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import { createAddressGuard } from "#platform/fetch/address-guard";
import { loadTrustedRoots } from "#platform/fetch/trusted-roots";
import { fetchDocument } from "#platform/fetch-document";
import { answering, flooding, startHostileIssuer } from "#test/support/issuer/hostile-issuer";
import type { Issuer } from "#test/support/issuer/issuer";
import { startIssuer } from "#test/support/issuer/start-issuer";
import { startOidcProvider } from "#test/support/issuer/start-oidc-provider";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";

interface Trial {
  readonly store: KeySetStore;
  readonly time: FakeTime;
  readonly fetched: string[];
  /** Resolves at the end of the next attempt. */
  readonly nextAttempt: () => Promise<void>;
}

/** A store that fetches over the network in earnest; only its clock is the test's. */
async function trial(caFile: string | undefined): Promise<Trial> {
  const time = createFakeTime();
  const settings = {
    guard: createAddressGuard([]),
    roots: (await loadTrustedRoots(caFile)).roots,
    environment: {},
    maxBytes: 2 ** 20,
  };
  const fetched: string[] = [];
  let attempted = Promise.withResolvers<void>();
  const fetch: FetchDocument = (uri, options) => {
    fetched.push(uri);
    return fetchDocument(uri, settings, options);
  };
  const store = createKeySetStore({
    fetchDocument: fetch,
    clock: time,
    timers: time,
    random: () => 0,
    settings: () => ({ refreshMillis: 300_000, maxStaleMillis: 604_800_000 }),
    onAttempt() {
      attempted.resolve();
      attempted = Promise.withResolvers<void>();
    },
  });
  return { store, time, fetched, nextAttempt: () => attempted.promise };
}

const patienceMillis = 20_000;

function kidsOf(store: KeySetStore): readonly string[] | string {
  const state = store.current().of("a");
  return state.kind === "keys" ? state.keys.keys.map(({ kid }) => kid) : state.kind;
}

/** Is the token signed by a key of the store, as jose sees it? */
async function verifies(store: KeySetStore, token: string): Promise<boolean> {
  const state = store.current().of("a");
  const { kid, alg } = decodeProtectedHeader(token);
  const key = state.kind === "keys" ? state.keys.keys.find((each) => each.kid === kid) : undefined;
  if (key === undefined) return false;
  await jwtVerify(token, await importJWK({ ...key.jwk, kty: key.kty }, alg));
  return true;
}

const kinds = [
  { name: "an issuer", start: () => startIssuer({ path: "/realms/shop" }) },
  { name: "oidc-provider", start: startOidcProvider },
] as const;

for (const { name, start } of kinds) {
  let issuer: Issuer;
  before(async () => {
    issuer = await start();
  });
  after(() => issuer.stop());

  test(`${name}: discovery, keys, tokens, rotation`, async (t) => {
    const { store, time, fetched } = await trial(issuer.caFile);
    t.after(() => store.stop());
    const source: KeySource = { kind: "discovery", id: "a", issuer: issuer.issuer, timeoutMillis: undefined };
    await store.follow([source], patienceMillis);
    assert.deepEqual(fetched, [`${issuer.issuer}/.well-known/openid-configuration`, issuer.jwksUri]);
    const old = await issuer.token({ role: "admin", sub: "me" });
    assert.equal(await verifies(store, old), true);
    const { iss, sub, role } = decodeJwt<{ role: string }>(old);
    assert.deepEqual({ iss, sub, role }, { iss: issuer.issuer, sub: "me", role: "admin" });

    await issuer.rotate();
    const young = await issuer.token();
    assert.equal(await verifies(store, young), false);
    await time.advance(15_000);
    const renewed = Promise.withResolvers<void>();
    t.after(store.onChange(renewed.resolve));
    store.missed("a", decodeProtectedHeader(young).kid ?? "");
    await renewed.promise;
    assert.equal(await verifies(store, young), true, "the new key is known");
    assert.equal(await verifies(store, old), false, "the old key is gone");
  });

  test(`${name}: its certificate is of an unknown authority`, async (t) => {
    const { store } = await trial(undefined);
    t.after(() => store.stop());
    await store.follow([{ kind: "uri", id: "a", uri: issuer.jwksUri, timeoutMillis: undefined }], patienceMillis);
    assert.equal(kidsOf(store), "unfetched");
    assert.equal(store.status()[0]?.fault?.code, "fetch/tls");
  });
}

test("an issuer that rotates at every look is followed at every look", async (t) => {
  const issuer = await startIssuer({ keys: ["ES256", "EdDSA"] });
  t.after(() => issuer.stop());
  const { store } = await trial(issuer.caFile);
  t.after(() => store.stop());
  await store.follow([{ kind: "uri", id: "a", uri: issuer.jwksUri, timeoutMillis: undefined }], patienceMillis);
  const versions = new Set<number>();
  for (let i = 0; i < 20; i++) {
    await issuer.rotate();
    await store.refresh();
    assert.equal(await verifies(store, await issuer.token()), true);
    const state = store.current().of("a");
    versions.add(state.kind === "keys" ? state.keys.version : -1);
  }
  assert.equal(versions.size, 20);
});

test("an issuer that turns hostile does not take the good keys away", async (t) => {
  const good = readFileSync(new URL("../../support/issuer/shapes/google-keys.json", import.meta.url), "utf8");
  const issuer = await startHostileIssuer(t, answering(good));
  const { store } = await trial(undefined);
  t.after(() => store.stop());
  await store.follow([{ kind: "uri", id: "a", uri: issuer.uri, timeoutMillis: undefined }], patienceMillis);
  const kids = kidsOf(store);
  assert.equal(kids.length, 2);
  for (const [behaviour, code] of [
    [answering("{}"), "keys/unusable"],
    [answering("<html>"), "keys/unusable"],
    [answering(""), "keys/unusable"],
    [answering("", "location: /\r\n", "302 Found"), "fetch/redirect"],
    [flooding, "fetch/too-large"],
  ] as const) {
    issuer.become(behaviour);
    await store.refresh();
    assert.deepEqual(kidsOf(store), kids);
    assert.equal(store.status()[0]?.fault?.code, code);
  }
});

test("10,000 key ids that nobody has, while fetches come and go: one fetch in ten seconds", async (t) => {
  const issuer = await startIssuer();
  t.after(() => issuer.stop());
  const { store, time, fetched, nextAttempt } = await trial(issuer.caFile);
  t.after(() => store.stop());
  await store.follow([{ kind: "uri", id: "a", uri: issuer.jwksUri, timeoutMillis: undefined }], patienceMillis);
  for (let round = 1; round <= 3; round++) {
    const attempt = nextAttempt();
    for (let i = 0; i < 5_000; i++) store.missed("a", `nobody-${round}-${i}`);
    await time.advance(9_999);
    assert.equal(fetched.length, round);
    for (let i = 5_000; i < 10_000; i++) store.missed("a", `nobody-${round}-${i}`);
    await time.advance(1);
    await attempt;
    assert.equal(fetched.length, round + 1);
  }
});

test("key sets in the shapes of well-known providers", async (t) => {
  const shapes: readonly (readonly [name: string, algorithms: readonly string[]])[] = [
    // The key for encryption is a key like others to Envoy: its `alg` is one that no token has.
    ["keycloak", ["RSA-OAEP", "RS256"]],
    ["hydra", ["RS256", "RS256"]],
    ["auth0", ["RS256", "RS256"]],
    ["google", ["RS256", "RS256"]],
    ["firebase", ["", "", ""]],
  ];
  for (const [name, algorithms] of shapes) {
    const text = readFileSync(new URL(`../../support/issuer/shapes/${name}-keys.json`, import.meta.url), "utf8");
    const issuer = await startHostileIssuer(t, answering(text));
    const { store } = await trial(undefined);
    t.after(() => store.stop());
    await store.follow([{ kind: "uri", id: "a", uri: issuer.uri, timeoutMillis: undefined }], patienceMillis);
    const state = store.current().of("a");
    assert.equal(state.kind, "keys", name);
    const keys = state.kind === "keys" ? state.keys.keys : [];
    assert.deepEqual(
      keys.map(({ alg }) => alg),
      algorithms,
      name,
    );
    const document = JSON.parse(text) as { readonly keys?: readonly { readonly kid: string; readonly n: string }[] };
    const written = document.keys?.map(({ kid }) => kid) ?? Object.keys(document);
    assert.deepEqual(keys.map(({ kid }) => kid).sort(), written.toSorted(), name);
    for (const key of keys) assert.deepEqual(Object.keys(key.jwk).sort(), ["e", "n"], name);
    if (document.keys !== undefined)
      assert.deepEqual(
        keys.map(({ jwk }) => jwk["n"]),
        document.keys.map(({ n }) => n),
        name,
      );
  }
});

test("discovery documents in the shapes of well-known providers", () => {
  const places = {
    keycloak: "https://keycloak.example/realms/shop/protocol/openid-connect/certs",
    hydra: "https://hydra.example/.well-known/jwks.json",
    auth0: "https://tenant.example/.well-known/jwks.json",
    google: "https://www.apis.example/oauth2/v3/certs",
  };
  for (const [name, jwksUri] of Object.entries(places)) {
    const text = readFileSync(new URL(`../../support/issuer/shapes/${name}-discovery.json`, import.meta.url), "utf8");
    const read = readDiscovery(text);
    assert.equal(read.ok && read.jwksUri, jwksUri);
  }
});
