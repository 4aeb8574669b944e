import type { KeySource } from "#identity/key-set/key-source";
import type { JwtRule } from "#policy-compiler/ruleset/model";

/**
 * Where the keys of a rule come from: its own text, else its URI, else discovery from the issuer without one trailing slash (OpenID Connect
 * Discovery 1.0 §4). PERF: `id` is made once; as the key of a map it costs one hash of its text, then none.
 */
export function keySourceOf(rule: JwtRule): KeySource {
  const { jwks, jwksUri, timeoutMillis, origin } = rule;
  // The kind stands in front, so that a key set whose text is a URI is not taken for what that URI answers.
  if (jwks !== undefined) {
    return { kind: "inline", id: `inline ${jwks}`, text: jwks, name: `${origin.file}:${origin.line}` };
  }
  const timeout = timeoutMillis ?? "-";
  if (jwksUri !== undefined) return { kind: "uri", id: `uri ${timeout} ${jwksUri}`, uri: jwksUri, timeoutMillis };
  const issuer = rule.issuer.endsWith("/") ? rule.issuer.slice(0, -1) : rule.issuer;
  return { kind: "discovery", id: `discovery ${timeout} ${issuer}`, issuer, timeoutMillis };
}
