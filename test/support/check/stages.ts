import assert from "node:assert/strict";
import { acceptToken } from "#authz/authenticate/accept";
import type { CheckEnvironment, TokenVerification } from "#authz/check/contract";
import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import type { ProviderOutcome, ProviderQuestion } from "#authz/custom/contract";
import { createEngine } from "#authz/engine/create-engine";
import type { EditedRequest } from "#authz/engine/edited-request";
import { compile } from "#policy-compiler/compile";

/** A token of these claims, which `stagesOf` takes for signed. */
export function tokenOf(claims: object, signature = "c2ln"): string {
  return `${part({ alg: "RS256" })}.${part(claims)}.${signature}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

export interface Stages {
  readonly answer?: (question: ProviderQuestion) => ProviderOutcome;
  readonly tokens?: Partial<TokenVerification>;
}

/** What a check is given to decide by policies, with every token signed and a provider `opa` that answers as told. */
export function stagesOf(policies: string, { answer, tokens }: Stages = {}): CheckEnvironment {
  const { ruleSet, diagnostics } = compile([{ path: "p.yaml", bytes: Buffer.from(policies) }]);
  assert.ok(ruleSet, JSON.stringify(diagnostics));
  const provider = {
    name: "opa",
    kind: "grpc" as const,
    wantsBody: false,
    ask: async (question: ProviderQuestion): Promise<ProviderOutcome> =>
      answer?.(question) ?? { kind: "failed", status: 503, detail: "nobody told" },
  };
  const snapshot = {
    ...snapshotOfRules(createEngine(ruleSet, "digest")),
    providers: { find: (name: string) => (name === "opa" ? provider : undefined), why: () => "not known" },
  };
  return {
    snapshot: () => snapshot,
    nextId: () => "id",
    nowMillis: () => 0,
    tokens: {
      ...noVerification,
      maxTokenBytes: 64 * 1024,
      verify: (unverified) => ({ ok: true, accepted: acceptToken(unverified) }),
      ...tokens,
    },
  };
}

/** A provider that allows, with edits or without. */
export function allowedWith(edit: (request: EditedRequest) => void = () => {}) {
  return ({ http }: ProviderQuestion): ProviderOutcome => {
    const request = http!.request.copy();
    edit(request);
    return { kind: "allowed", request, responseHeaders: [], failedOpen: undefined };
  };
}
