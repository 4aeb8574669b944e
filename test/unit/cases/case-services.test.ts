import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "#policy-compiler/compile";
import { resolveProviders } from "#policy-compiler/ruleset/providers/resolve";
import { type CaseServices, caseServiceEntries } from "#test/support/providers/case-services";

const encode = (path: string, document: unknown) => ({
  path,
  bytes: new TextEncoder().encode(JSON.stringify(document)),
});

function resolved(setting: CaseServices) {
  const entries = caseServiceEntries(setting, (provider) => ({ auth: 4001, other: 4002 })[provider]);
  const files = entries.map((entry, i) => encode(`s${i}.json`, entry));
  const { ruleSet } = compile([encode("mesh.yaml", setting.mesh), ...files], {});
  assert.ok(ruleSet);
  return [...resolveProviders(ruleSet).values()].map((one) =>
    one.ok ? (one.target.endpoints[0] ?? one.target.fault) : one.why,
  );
}

const auth = { name: "auth", envoyExtAuthzGrpc: { service: "foo/auth.foo.svc.cluster.local", port: 9001 } };
const other = { name: "other", envoyExtAuthzHttp: { service: "auth.foo.svc.cluster.local", port: 9000 } };
const at = (port: number) => ({ kind: "tcp", host: "127.0.0.1", port });

test("every host that a provider names is known, and leads to where the provider was started", () => {
  assert.deepEqual(resolved({ mesh: { extensionProviders: [auth] } }), [at(4001)]);
  const same = {
    ...other,
    envoyExtAuthzHttp: { ...other.envoyExtAuthzHttp, service: "foo/auth.foo.svc.cluster.local" },
  };
  assert.deepEqual(resolved({ mesh: { extensionProviders: [auth, same] } }), [at(4001), at(4002)]);
  assert.deepEqual(resolved({ mesh: { extensionProviders: [other] } }), [at(4002)]);
});

test("services that are listed are those that there are", () => {
  const mesh = { extensionProviders: [auth] };
  const host = "auth.foo.svc.cluster.local";
  assert.match(String(resolved({ mesh, services: [] })[0]), /found none/);
  assert.match(String(resolved({ mesh, services: [{ host, namespace: "bar", port: 9001 }] })[0]), /found none/);
  assert.match(String(resolved({ mesh, services: [{ host, namespace: "foo", port: 80 }] })[0]), /no port 9001/);
  assert.deepEqual(resolved({ mesh, services: [{ host, namespace: "foo", port: 9001 }] }), [at(4001)]);
});
