import {
  type RegisteredCaller,
  type RegistrationKeyKind,
  registrationKeyKinds,
  type SpiffeIdPart,
  type WorkloadRegistration,
} from "#policy-compiler/ruleset/model";
import { spiffeIdPartsFault } from "#policy-compiler/ruleset/spiffe-id-parts";
import { originShape } from "./extension-shapes.ts";
import { checked, list, optional, record, type Shape, text, uint, union, word } from "./shape.ts";

const texts = list(text);

const part: Shape<SpiffeIdPart> = union<SpiffeIdPart, "kind">("kind", {
  text: record({ text }),
  claim: record({ path: texts }),
});

const caller: Shape<RegisteredCaller> = union<RegisteredCaller, "kind">("kind", {
  spiffeId: record({ id: text }),
  jwt: record({ issuer: text, claims: list(record({ path: texts, values: texts })) }),
  joinToken: record({}),
});

/** A registration whose identity or callers could be understood in two ways is none. */
export const registrationShape: Shape<WorkloadRegistration> = checked(
  record<WorkloadRegistration>({
    namespace: text,
    name: text,
    spiffeId: list(part),
    callers: list(caller),
    dnsNames: texts,
    keyKinds: list(word<RegistrationKeyKind>(registrationKeyKinds)),
    ttlSeconds: optional(uint),
    maxTtlSeconds: optional(uint),
    origin: originShape,
  }),
  registrationFault,
);

function registrationFault({ spiffeId, callers }: WorkloadRegistration): string | undefined {
  if (spiffeIdPartsFault(spiffeId) !== undefined) return "a registration has no SPIFFE ID of a workload";
  const claims = spiffeId.flatMap((each) => (each.kind === "claim" ? [each] : []));
  const asked = callers.flatMap((each) => (each.kind === "jwt" ? each.claims : []));
  if ([...claims, ...asked].some(({ path }) => path.length === 0)) return "a registration names a claim without a name";
  if (asked.some(({ values }) => values.length === 0)) return "a registration asks for a claim without a value";
  if (callers.length === 0) return "a registration has no callers";
  const others = claims.length > 0 && callers.some(({ kind }) => kind !== "jwt");
  return others ? "a registration takes claims from a caller without a token" : undefined;
}
