import type { WorkloadClaim } from "#authz/check/contract";
import { detach } from "#authz/check/detach";
import type { CheckRequest } from "#authz/check/wire/check-request";
import type { Workload } from "#authz/engine/attributes";
import { GATEWAY_NAME } from "#authz/engine/selection";
import { parseSpiffeId } from "#identity/spiffe-id";
import type { ByteString, RegisteredWorkload, RuleSet } from "#policy-compiler/ruleset/model";
import { type ClaimTexts, parseClaim, readClaimTexts } from "./claim.ts";
import { type FoundWorkload, type Registry, registryOf } from "./registry.ts";

/** How to mend that nothing says which workload is asked about. */
const HINT = "set context_extensions garita.dev/workload, or the listener's workload";

/**
 * The workload that is asked about, completely described: what its policies are selected by. ORDER: the first of these that
 * says anything counts alone: the route's `context_extensions`, the node's labels (the only way on TCP), the listener's
 * own `workload`; then the registry, by the local certificate's identity, then by the local address and port. None of them is a client's
 * word. Labels are never guessed: what is left open is refused.
 */
export function resolveWorkload(
  ruleSet: RuleSet,
  request: CheckRequest,
  listenerClaim: WorkloadClaim | undefined,
): FoundWorkload {
  const registry = registryOf(ruleSet);
  const extensions = request.contextExtensionsText();
  const told =
    extensions === undefined
      ? undefined
      : registry.answerText(extensions, () => claimed(registry, (key) => request.contextExtension(key)));
  const found = told ?? claimed(registry, (key) => request.destination.label(key));
  if (found !== undefined) return found;
  if (listenerClaim !== undefined) {
    return registry.answerClaim(listenerClaim, () => byClaim(registry, listenerClaim));
  }
  const { principal, address, port } = request.destination;
  return registry.answer(`${principal}\0${address ?? ""}\0${port}`, () =>
    byConnection(registry, detach(principal), address && detach(address), port),
  );
}

/** Undefined when none of our keys is there. */
function claimed(registry: Registry, get: (key: string) => ByteString | undefined): FoundWorkload | undefined {
  const texts = readClaimTexts(get);
  return texts && registry.answer(question(texts), () => byTexts(registry, texts));
}

/** Unambiguous: a byte string holds no character beyond U+00FF. */
function question(texts: ClaimTexts): string {
  let key = "";
  for (const text of texts) key += text === undefined ? "\u0100" : `\u0101${text}`;
  return key;
}

function byTexts(registry: Registry, texts: ClaimTexts): FoundWorkload {
  const parsed = parseClaim(texts);
  return parsed.ok ? byClaim(registry, parsed.claim) : incomplete(parsed.fault);
}

function byClaim(registry: Registry, claim: WorkloadClaim): FoundWorkload {
  const { workload: name, namespace, labels } = claim;
  if (labels !== undefined) {
    if (namespace === undefined) return incomplete("labels without a namespace");
    return describe(namespace, name, labels, claim);
  }
  if (name === undefined) {
    return incomplete(namespace === undefined ? "neither a workload nor a namespace" : "a namespace without labels");
  }
  const entries = registry.named(name).filter((entry) => namespace === undefined || entry.namespace === namespace);
  const of = namespace === undefined ? `named \`${name}\`` : `named \`${name}\` in namespace \`${namespace}\``;
  return only(entries, of, claim);
}

/**
 * By who the local certificate says that the asking proxy is, then by where it listens. Several entries of one identity are
 * told apart by the address.
 */
function byConnection(registry: Registry, principal: string, address: string | undefined, port: number): FoundWorkload {
  const parsed = parseSpiffeId(principal);
  const name = parsed.ok ? parsed.id.istioName : undefined;
  const here = address === undefined ? [] : registry.atAddress(address, port);
  if (name !== undefined) {
    const entries = registry.ofAccount(name.namespace, name.serviceAccount);
    const both = entries.length > 1 ? entries.filter((entry) => here.includes(entry)) : [];
    if (entries.length > 0) return hinted(only(both.length > 0 ? both : entries, `of identity \`${principal}\``, {}));
  }
  const what =
    address === undefined ? "by identity, and no address is known" : `at address \`${address}\`, port ${port}`;
  return hinted(only(here, what, {}));
}

function hinted(found: FoundWorkload): FoundWorkload {
  return found.ok ? found : { ...found, detail: `${found.detail}; ${HINT}` };
}

function only(entries: readonly RegisteredWorkload[], what: string, claim: WorkloadClaim): FoundWorkload {
  const [entry, ...others] = entries;
  if (entry === undefined) return { ok: false, reason: "workload/unknown", detail: `no workload ${what}` };
  if (others.length > 0) {
    const names = entries.slice(0, 5).map(({ namespace, name }) => `${namespace}/${name}`);
    const more = entries.length > 5 ? ", …" : "";
    return { ok: false, reason: "workload/ambiguous", detail: `several workloads ${what}: ${names.join(", ")}${more}` };
  }
  return describe(entry.namespace, entry.name, new Map(entry.labels), claim);
}

/** What a kind needs beyond namespace and labels. A gateway's name may stand in its label, as Istio has it. */
function describe(
  namespace: string,
  name: string | undefined,
  labels: ReadonlyMap<string, string>,
  claim: WorkloadClaim,
): FoundWorkload {
  const kind = claim.kind ?? "sidecar";
  if (kind === "sidecar" || kind === "gateway") {
    const workload: Workload = { namespace, name, labels, kind, gateway: undefined, service: undefined };
    return { ok: true, workload };
  }
  const labelled = labels.get(GATEWAY_NAME);
  const gateway = claim.gateway ?? labelled;
  if (gateway === undefined) return incomplete(`a ${kind} without the name of its Gateway`);
  if (labelled !== undefined && labelled !== gateway) return incomplete("two different Gateways");
  const service = claim.service === undefined ? undefined : parseService(claim.service);
  if (claim.service !== undefined && service === undefined)
    return incomplete("a service that is neither `namespace/name` nor `kind/namespace/name`");
  if (kind === "waypoint" && service === undefined)
    return incomplete("a waypoint without the service that it stands before");
  const all = labelled === undefined ? new Map([...labels, [GATEWAY_NAME, gateway]]) : labels;
  return { ok: true, workload: { namespace, name, labels: all, kind, gateway, service } };
}

/** `namespace/name`, which fits either kind, or `Service/namespace/name`, `ServiceEntry/namespace/name`. */
function parseService(text: string): NonNullable<Workload["service"]> | undefined {
  const [first, ...rest] = text.split("/");
  const kind = rest.length === 2 && (first === "Service" || first === "ServiceEntry") ? first : undefined;
  const [namespace, name, ...more] = kind === undefined ? [first, ...rest] : rest;
  if (!namespace || !name || more.length > 0) return undefined;
  return kind === undefined ? { namespace, name } : { namespace, name, kind };
}

function incomplete(what: string): FoundWorkload {
  return { ok: false, reason: "workload/incomplete", detail: `the workload is described by ${what}` };
}
