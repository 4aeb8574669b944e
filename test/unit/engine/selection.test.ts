import assert from "node:assert/strict";
import { test } from "node:test";
import type { Workload } from "#authz/engine/attributes";
import { selectionSubject, selects } from "#authz/engine/selection";
import type { Attachment } from "#policy-compiler/ruleset/model";
import { emptyRuleSet } from "#test/support/generate/rule-sets";

const sidecar: Workload = {
  namespace: "foo",
  name: undefined,
  labels: new Map([["app", "web"]]),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};
const classic: Workload = { ...sidecar, kind: "gateway" };
const labelled: Workload = { ...sidecar, labels: new Map([["gateway.networking.k8s.io/gateway-name", "gw"]]) };
const gateway: Workload = { ...sidecar, kind: "k8s-gateway", gateway: "gw" };
const waypoint: Workload = {
  ...sidecar,
  kind: "waypoint",
  gateway: "way",
  service: { namespace: "bar", name: "svc", kind: "Service" },
};
const either: Workload = { ...waypoint, service: { namespace: "bar", name: "svc" } };
const aimless: Workload = { ...waypoint, service: undefined };

const all: Attachment = { kind: "selector", labels: [] };
const labels = (...pairs: [string, string][]): Attachment => ({ kind: "selector", labels: pairs });
const web = labels(["app", "web"]);
const ref = (group: string, kind: string, name: string): Attachment => ({
  kind: "targetRefs",
  refs: [{ group, kind, name }],
});
const toGateway = (name: string) => ref("gateway.networking.k8s.io", "Gateway", name);
const toClass = (name: string) => ref("gateway.networking.k8s.io", "GatewayClass", name);

const cases: readonly [
  name: string,
  workload: Workload,
  attachment: Attachment,
  namespace: string,
  selected: boolean,
][] = [
  ["own namespace", sidecar, all, "foo", true],
  ["root namespace", sidecar, all, "root", true],
  ["another namespace", sidecar, all, "bar", false],
  ["labels fit", sidecar, web, "foo", true],
  ["labels fit, from the root namespace", sidecar, web, "root", true],
  ["label has another value", sidecar, labels(["app", "db"]), "foo", false],
  ["one of two labels", sidecar, labels(["app", "web"], ["version", "v1"]), "foo", false],
  ["sidecar ignores targetRefs", sidecar, toGateway("gw"), "foo", false],
  ["classic gateway takes selectors", classic, web, "foo", true],
  ["classic gateway ignores targetRefs", classic, toGateway("gw"), "foo", false],
  ["the gateway's label makes one", labelled, toGateway("gw"), "foo", true],
  ["Gateway-API gateway takes selectors", gateway, web, "foo", true],
  ["its label is implied", gateway, labels(["gateway.networking.k8s.io/gateway-name", "gw"]), "foo", true],
  ["its Gateway", gateway, toGateway("gw"), "foo", true],
  ["another Gateway", gateway, toGateway("other"), "foo", false],
  ["its Gateway's name from the root namespace", gateway, toGateway("gw"), "root", false],
  ["gateway and Service", gateway, ref("", "Service", "svc"), "foo", false],
  ["gateway and GatewayClass", gateway, toClass("istio-waypoint"), "root", false],
  ["waypoint ignores selectors", waypoint, all, "foo", false],
  ["waypoint ignores selectors of the root namespace", waypoint, all, "root", false],
  ["waypoint's Gateway", waypoint, toGateway("way"), "foo", true],
  ["waypoint's Gateway from the service's namespace", waypoint, toGateway("way"), "bar", false],
  ["its Service", waypoint, ref("", "Service", "svc"), "bar", true],
  ["its Service, group spelled out", waypoint, ref("core", "Service", "svc"), "bar", true],
  ["its Service from the waypoint's namespace", waypoint, ref("", "Service", "svc"), "foo", false],
  ["another Service", waypoint, ref("", "Service", "other"), "bar", false],
  ["ServiceEntry of that name", waypoint, ref("networking.istio.io", "ServiceEntry", "svc"), "bar", false],
  ["kind of target not said: Service", either, ref("", "Service", "svc"), "bar", true],
  ["kind of target not said: ServiceEntry", either, ref("networking.istio.io", "ServiceEntry", "svc"), "bar", true],
  ["no target", aimless, ref("", "Service", "svc"), "bar", false],
  ["the waypoints' class", waypoint, toClass("istio-waypoint"), "root", true],
  ["the waypoints' class from elsewhere", waypoint, toClass("istio-waypoint"), "foo", false],
  ["another class", waypoint, toClass("istio"), "root", false],
  ["unknown kind", waypoint, ref("", "Pod", "svc"), "bar", false],
  [
    "any of several",
    waypoint,
    {
      kind: "targetRefs",
      refs: [
        { group: "", kind: "Service", name: "other" },
        { group: "", kind: "Service", name: "svc" },
      ],
    },
    "bar",
    true,
  ],
];

for (const [name, workload, attachment, namespace, selected] of cases) {
  test(`selection: ${name}: ${selected ? "selected" : "not selected"}`, () => {
    assert.equal(selects(attachment, namespace, selectionSubject(emptyRuleSet.mesh, workload)), selected);
  });
}
