import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { caDefaults } from "#cli/config/ca-defaults";
import type { CaConfig } from "#cli/config/ca-model";
import { prepareAuthority } from "#cli/serve/authority/prepare";
import { tempFolder } from "#test/support/service/temp-folder";

test("a file of an issuer's keys is understood, or the configuration is refused", async (t) => {
  const folder = await tempFolder(t);
  const path = `${folder}/jwks.json`;
  const config = {
    ...caDefaults,
    trustDomain: "hello.mesh",
    store: `${folder}/ca.db`,
    keyEncryptionKeyFile: undefined,
    serverNames: [],
    grpc: undefined,
    http: undefined,
    socket: undefined,
    admins: [],
    issuers: [{ issuer: "https://issuer.example", audiences: ["istio-ca"], keys: { kind: "file", path } }],
    blockedKeysFile: undefined,
  } satisfies CaConfig;
  const environment = { GARITA_CA_KEY_ENCRYPTION_KEY: "a secret of the tests alone" };
  const refused = (message: RegExp) =>
    assert.rejects(prepareAuthority(config, environment), { code: "ca-issuer/keys", message });
  await refused(/cannot read the keys/);
  writeFileSync(path, "not json");
  await refused(/holds no key set that can be used: found/);
  writeFileSync(path, '{"keys":[]}');
  await refused(/holds no key set/);
  const key = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
  writeFileSync(path, JSON.stringify({ keys: [key] }));
  const prepared = await prepareAuthority(config, environment);
  assert.ok(prepared.issuers.byIssuer("https://issuer.example"));
});
