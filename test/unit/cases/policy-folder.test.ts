import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { policyFolder } from "#test/support/cases/policy-folder";

const policy = (name: string, creationTimestamp?: string) => ({
  kind: "AuthorizationPolicy",
  metadata: creationTimestamp === undefined ? { name } : { name, creationTimestamp },
});

test("mesh.yaml has the shape of MeshConfig", () => {
  const [mesh] = read(policyFolder({ mesh: { trustDomain: "td" }, workload: { numTrustedProxies: 2 } }, new Map()));
  deepEqual(mesh, [
    "mesh.yaml",
    {
      rootNamespace: "istio-system",
      trustDomain: "td",
      trustDomainAliases: [],
      pathNormalization: { normalization: "BASE" },
      extensionProviders: [],
      defaultConfig: { gatewayTopology: { numTrustedProxies: 2 } },
    },
  ]);
});

test("policies are stamped in the order listed, as an API server would have", () => {
  const [, a, b] = read(policyFolder({ policies: [policy("a", "2030-01-01T00:00:00Z"), policy("b")] }, new Map()));
  deepEqual(
    [a, b],
    [
      ["0000.json", policy("a", "2026-01-01T00:00:00Z")],
      ["0001.json", policy("b", "2026-01-01T00:00:01Z")],
    ],
  );
});

test("unless all of them say their time", () => {
  const [, a] = read(policyFolder({ policies: [policy("a", "2030-01-01T00:00:00Z")] }, new Map()));
  deepEqual(a, ["0000.json", policy("a", "2030-01-01T00:00:00Z")]);
});

function read(files: ReturnType<typeof policyFolder>): readonly (readonly [string, unknown])[] {
  return files.map(({ path, bytes }) => [path, JSON.parse(new TextDecoder().decode(bytes)) as unknown]);
}
