import type { WorkloadClaim } from "#authz/check/contract";
import { detach } from "#authz/check/detach";
import type { WorkloadKind } from "#authz/engine/attributes";
import { fromByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";

/** How Envoy's configuration names a workload: keys of `context_extensions` and of the node's labels. */
const claimKeys = [
  "garita.dev/workload",
  "garita.dev/namespace",
  "garita.dev/labels",
  "garita.dev/kind",
  "garita.dev/gateway",
  "garita.dev/service",
] as const;

/** The texts under `claimKeys`, in that order. */
export type ClaimTexts = readonly (ByteString | undefined)[];

/** Undefined when none of the keys is there. `get`: the text under a key. */
export function readClaimTexts(get: (key: string) => ByteString | undefined): ClaimTexts | undefined {
  let texts: (ByteString | undefined)[] | undefined;
  for (let i = 0; i < claimKeys.length; i++) {
    const text = get(claimKeys[i]!);
    if (text !== undefined) {
      texts ??= new Array(claimKeys.length).fill(undefined);
      texts[i] = text;
    }
  }
  return texts;
}

export type ParsedClaim =
  | { readonly ok: true; readonly claim: WorkloadClaim }
  | { readonly ok: false; readonly fault: string };

const kinds: ReadonlySet<string> = new Set<WorkloadKind>(["sidecar", "gateway", "k8s-gateway", "waypoint"]);

/** Texts to a claim. An empty text is a fault, not an absence: somebody meant to say something. */
export function parseClaim(texts: ClaimTexts): ParsedClaim {
  const claim: { -readonly [K in keyof WorkloadClaim]: WorkloadClaim[K] } = {};
  for (const [i, bytes] of texts.entries()) {
    if (bytes === undefined) continue;
    const key = claimKeys[i]!;
    const text = detach(fromByteString(bytes));
    if (text === "") return fault(key, "is empty");
    switch (key) {
      case "garita.dev/labels": {
        const labels = parseLabels(text);
        if (labels === undefined) return fault(key, "is not a JSON object of texts");
        claim.labels = labels;
        break;
      }
      case "garita.dev/kind":
        if (!isKind(text)) return fault(key, "is not one of `sidecar`, `gateway`, `k8s-gateway`, `waypoint`");
        claim.kind = text;
        break;
      case "garita.dev/workload":
        claim.workload = text;
        break;
      case "garita.dev/namespace":
        claim.namespace = text;
        break;
      case "garita.dev/gateway":
        claim.gateway = text;
        break;
      case "garita.dev/service":
        claim.service = text;
        break;
    }
  }
  return { ok: true, claim };
}

function parseLabels(text: string): ReadonlyMap<string, string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const labels = new Map<string, string>();
  for (const [key, label] of Object.entries(value)) {
    if (typeof label !== "string") return undefined;
    labels.set(key, label);
  }
  return labels;
}

function isKind(text: string): text is WorkloadKind {
  return kinds.has(text);
}

function fault(key: string, what: string): ParsedClaim {
  return { ok: false, fault: `\`${key}\` ${what}` };
}
