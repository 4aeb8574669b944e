import assert from "node:assert/strict";
import { test } from "node:test";
import type { Workload } from "#authz/engine/attributes";
import { createEngine } from "#authz/engine/create-engine";
import type { Attachment, JwtRule } from "#policy-compiler/ruleset/model";
import { emptyRuleSet, withIndex } from "#test/support/generate/rule-sets";

const origin = { file: "policies.yaml", line: 1, column: 1 };

const rule: JwtRule = {
  issuer: "https://issuer",
  audiences: [],
  jwksUri: undefined,
  jwks: '{"keys":[]}',
  fromHeaders: [],
  fromParams: [],
  fromCookies: [],
  forwardOriginalToken: false,
  outputPayloadToHeader: undefined,
  outputClaimToHeaders: [],
  timeoutMillis: undefined,
  spaceDelimitedClaims: [],
  origin,
};

/** Takes effect from the namespace of the waypoint, from the root namespace, and from that of its service. */
const everyTarget: Attachment = {
  kind: "targetRefs",
  refs: [
    { group: "gateway.networking.k8s.io", kind: "Gateway", name: "way" },
    { group: "gateway.networking.k8s.io", kind: "GatewayClass", name: "istio-waypoint" },
    { group: "", kind: "Service", name: "svc" },
  ],
};

/** In the order of the list: `namespace/name` of policies, oldest first. Root namespace: `root`. */
function gathered(workload: Workload, policies: readonly string[], jwtRules: readonly JwtRule[] = [rule]): string[] {
  const requestAuthentications = policies.map((place) => {
    const [namespace = "", name = ""] = place.split("/");
    const attachment: Attachment = workload.kind === "waypoint" ? everyTarget : { kind: "selector", labels: [] };
    return { namespace, name, attachment, jwtRules, origin };
  });
  const ruleSet = withIndex({ ...emptyRuleSet, requestAuthentications });
  const view = createEngine(ruleSet, "0".repeat(64)).view(workload);
  return view.requestAuthentications.map((i) => policies[i]!);
}

const sidecar: Workload = {
  namespace: "foo",
  name: undefined,
  labels: new Map(),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};

test("the workload's own namespace goes before the root namespace, whatever their ages", () => {
  assert.deepEqual(gathered(sidecar, ["root/a", "foo/b", "bar/c", "root/d", "foo/e"]), [
    ..."foo/b foo/e root/a root/d".split(" "),
  ]);
});

test("a workload of the root namespace gathers its policies once", () => {
  assert.deepEqual(gathered({ ...sidecar, namespace: "root" }, ["root/a", "foo/b"]), ["root/a"]);
});

test("the namespace of a waypoint's service comes last", () => {
  const service = { namespace: "bar", name: "svc", kind: "Service" } as const;
  const waypoint: Workload = { ...sidecar, kind: "waypoint", gateway: "way", service };
  assert.deepEqual(gathered(waypoint, ["bar/a", "root/b", "foo/c"]), ["foo/c", "root/b", "bar/a"]);
});

test("a policy without rules is not gathered", () => {
  assert.deepEqual(gathered(sidecar, ["foo/a"], []), []);
});
