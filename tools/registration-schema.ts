import { registrationKeyKinds } from "#policy-compiler/ruleset/model";
import { registrationLimits } from "#policy-compiler/ruleset/registration-limits";
import { object, type PolicySchema, renderKindSchema } from "./kind-schema.ts";

const text = (description: string): PolicySchema => ({ type: "string", description, minLength: 1 });
const duration = (description: string): PolicySchema => ({
  type: "string",
  description: `${description} From \`1m\` to \`2160h\`. Default: the authority's.`,
  pattern: "^[0-9.]+(ns|us|µs|μs|ms|s|m|h)([0-9.]+(ns|us|µs|μs|ms|s|m|h))*$",
});

const jwt = object(
  "Whoever brings a token of the issuer whose claims are all so.",
  {
    issuer: text("The `iss` of the tokens, as it stands in them."),
    claims: {
      type: "object",
      description: "Claims by their paths: `sub`, or `[a][b]` for a claim inside another.",
      minProperties: 1,
      maxProperties: registrationLimits.claims,
      additionalProperties: {
        description: "The claim's text, or texts any of which will do.",
        oneOf: [
          { type: "string", minLength: 1 },
          { type: "array", items: { type: "string", minLength: 1 }, minItems: 1, maxItems: registrationLimits.values },
        ],
      },
    },
  },
  { required: ["issuer"] },
);

const caller = object(
  "One way to be let in.",
  {
    spiffeId: { ...text("Whoever shows a certificate of this SPIFFE ID."), pattern: "^spiffe://[a-z0-9._-]+/." },
    jwt,
    joinToken: object("Whoever brings a token that was made for this identity: `garita ca token new`.", {}),
  },
  { minProperties: 1, maxProperties: 1 },
);

const spec = object(
  "Who may become which SPIFFE ID, and what its certificates may be.",
  {
    spiffeId: {
      ...text("The identity. `{sub}` and `{[a][b]}` in its path take claims of `jwt` callers."),
      pattern: "^spiffe://[a-z0-9._-]+/.",
    },
    callers: {
      type: "array",
      description: "Who may have it, any of them.",
      items: caller,
      minItems: 1,
      maxItems: registrationLimits.callers,
    },
    dnsNames: {
      type: "array",
      description: "DNS names that stand in the certificate beside the identity.",
      items: { type: "string", pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", maxLength: 253 },
      minItems: 1,
      maxItems: registrationLimits.dnsNames,
      uniqueItems: true,
    },
    keyKinds: {
      type: "array",
      description: "Kinds of keys. Default: all.",
      items: { type: "string", enum: registrationKeyKinds },
      minItems: 1,
      uniqueItems: true,
    },
    ttl: object(
      "Lifetimes of certificates.",
      { default: duration("Where none is asked for."), max: duration("The longest.") },
      { minProperties: 1 },
    ),
  },
  { required: ["spiffeId", "callers"] },
);

/** `docs/garita-workload-registration.schema.json`: completion and first checks in editors. What a registration means is checked by `garita check`. */
export function renderRegistrationSchema(): string {
  const description = "Who may become which SPIFFE ID.";
  return renderKindSchema({ kind: "WorkloadRegistration", description, spec, specRequired: true });
}
