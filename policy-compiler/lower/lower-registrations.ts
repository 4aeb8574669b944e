import type {
  DocumentHead,
  RegistrationCallerDocument,
  WorkloadRegistrationDocument,
} from "#policy-compiler/document/model";
import { parseClaimPath } from "#policy-compiler/document/values/claim-path";
import { parseSpiffeIdTemplate } from "#policy-compiler/document/values/spiffe-id-template";
import { parseDuration } from "#policy-compiler/ruleset/duration";
import {
  type RegisteredCaller,
  type RegistrationKeyKind,
  registrationKeyKinds,
  type SpiffeIdPart,
  type WorkloadRegistration,
} from "#policy-compiler/ruleset/model";
import { spiffeIdPartsFault } from "#policy-compiler/ruleset/spiffe-id-parts";
import type { Located } from "#policy-compiler/source/diagnostic";
import type { LowerContext } from "./context.ts";

/** Registrations in the order of `namespace/name`. One that has no meaning is a finding, should validation have let it pass, and gives nobody anything. */
export function lowerRegistrations(
  documents: readonly WorkloadRegistrationDocument[],
  context: LowerContext,
): readonly WorkloadRegistration[] {
  const registrations = documents.flatMap((document) => {
    const lowered = lowerRegistration(document, context);
    if (lowered !== undefined) return [lowered];
    const { name, namespace } = document.head;
    const message = `expected a registration that gives somebody an identity, found \`${namespace.value}/${name.value}\``;
    context.report({ code: "lowering/value-not-compiled", message, file: document.head.file, span: name.span });
    return [];
  });
  return registrations.sort((a, b) => compare(keyOf(a), keyOf(b)));
}

function lowerRegistration(
  { head, spiffeId, callers, dnsNames, keyKinds, ttl }: WorkloadRegistrationDocument,
  context: LowerContext,
): WorkloadRegistration | undefined {
  const parts = lowerSpiffeId(spiffeId);
  const lowered = callers.map(lowerCaller);
  const meant = lowered.filter((caller) => caller !== undefined);
  if (parts === undefined || meant.length === 0 || meant.length < lowered.length) return undefined;
  if (parts.some(({ kind }) => kind === "claim") && meant.some(({ kind }) => kind !== "jwt")) return undefined;
  const kinds = keyKinds?.values.map(({ value }) => value);
  if (kinds !== undefined && (kinds.length === 0 || !kinds.every(isKeyKind))) return undefined;
  const ttlSeconds = secondsOf(ttl?.default);
  const maxTtlSeconds = secondsOf(ttl?.max);
  if (ttlSeconds === "none" || maxTtlSeconds === "none") return undefined;
  return {
    ...namesOf(head),
    spiffeId: parts,
    callers: meant,
    dnsNames: [...new Set(dnsNames?.values.map(({ value }) => value))],
    keyKinds: registrationKeyKinds.filter((kind) => kinds?.includes(kind)),
    ttlSeconds,
    maxTtlSeconds,
    origin: context.locate(head.file, head.span.start),
  };
}

function lowerSpiffeId(written: Located<string> | undefined): readonly SpiffeIdPart[] | undefined {
  const parsed = parseSpiffeIdTemplate(written?.value ?? "");
  return parsed.ok && spiffeIdPartsFault(parsed.parts) === undefined ? parsed.parts : undefined;
}

function lowerCaller({ spiffeId, jwt, joinToken }: RegistrationCallerDocument): RegisteredCaller | undefined {
  if ([spiffeId, jwt, joinToken].filter((way) => way !== undefined).length !== 1) return undefined;
  if (spiffeId !== undefined) return { kind: "spiffeId", id: spiffeId.value };
  if (joinToken !== undefined) return { kind: "joinToken" };
  const issuer = jwt?.issuer?.value ?? "";
  const claims = (jwt?.claims?.items ?? []).map(({ path, values }) => ({
    path: parseClaimPath(path.value) ?? [],
    values: values.map(({ value }) => value),
  }));
  const isMeant =
    issuer !== "" &&
    (jwt?.claims === undefined || claims.length > 0) &&
    claims.every(({ path, values }) => path.length > 0 && values.length > 0);
  return isMeant ? { kind: "jwt", issuer, claims } : undefined;
}

function isKeyKind(text: string): text is RegistrationKeyKind {
  return (registrationKeyKinds as readonly string[]).includes(text);
}

/** Undefined: not said. `none`: said, and no number of seconds. */
function secondsOf(text: Located<string> | undefined): number | "none" | undefined {
  if (text === undefined) return undefined;
  const parsed = parseDuration(text.value);
  return parsed.ok && parsed.millis >= 1000 ? Math.floor(parsed.millis / 1000) : "none";
}

function namesOf({ namespace, name }: DocumentHead): { readonly namespace: string; readonly name: string } {
  return { namespace: namespace.value, name: name.value };
}

function keyOf({ namespace, name }: WorkloadRegistration): string {
  return `${namespace}/${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
