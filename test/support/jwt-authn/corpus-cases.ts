import type { PolicySetLine } from "../cases/case.ts";
import { tokenCorpus } from "../tokens/corpus.ts";
import { isRefusedByUsAlone } from "../tokens/recorded-verdicts.ts";
import type { GeneratedCase } from "./generate.ts";

/**
 * The corpus of good and bad tokens as requests: each alone, in a query parameter, where every byte can travel, with a rule that
 * takes any issuer and finds the token's key set at its URI. Without those that we refuse on purpose, and without an
 * empty document, which Envoy takes for a key set and finds empty afterwards.
 */
export function corpusCases(now: number): readonly GeneratedCase[] {
  const settings = new Map<string, PolicySetLine>();
  const corpus = [...tokenCorpus()].filter(({ name, jwks }) => !isRefusedByUsAlone(name) && jwks !== "");
  return corpus.map(({ name, token, jwks }) => {
    let setting = settings.get(jwks);
    if (setting === undefined) {
      setting = settingOf(`corpus-${settings.size}`, jwks);
      settings.set(jwks, setting);
    }
    const value = Buffer.from(token, "latin1").reduce((out, byte) => out + percentEncode(byte), "");
    const request = { method: "GET", authority: "a.example", path: `/x?t=${value}`, headers: [] };
    return { setting, case: { name, use: setting.policySet, now, request }, stories: [name] };
  });
}

function percentEncode(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
}

function settingOf(name: string, jwks: string): PolicySetLine {
  const jwksUri = `https://keys.example/${name}`;
  return {
    policySet: name,
    workload: { namespace: "foo", labels: {} },
    policies: [
      {
        apiVersion: "security.istio.io/v1",
        kind: "RequestAuthentication",
        metadata: { name: "ra", namespace: "foo" },
        spec: { jwtRules: [{ jwksUri, fromParams: ["t"], outputPayloadToHeader: "x-payload" }] },
      },
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "allow", namespace: "foo" },
        spec: { rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }, {}] },
      },
    ],
    jwks: { [jwksUri]: jwks },
  };
}
