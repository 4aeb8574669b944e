import { twinOf } from "#policy-compiler/document/field-names";
import type {
  AuthorizationPolicy,
  DocumentSet,
  FieldValues,
  PeerAuthentication,
  RequestAuthentication,
  ResponseValueDocument,
  RuleDocument,
  WorkloadRegistrationDocument,
} from "#policy-compiler/document/model";
import { providerSource, serviceSource } from "#policy-compiler/document/provider-sources";
import { resolveProvider } from "#policy-compiler/ruleset/providers/resolve";
import type { Finding } from "#policy-compiler/source/diagnostic";
import { RegisteredWorkloads } from "./registered-workloads.ts";
import { repeatedRegistrations } from "./repeated-registrations.ts";
import type {
  AnyRow,
  ExtensionSubject,
  Fields,
  Known,
  ListSubject,
  ResponseFieldsSubject,
  Row,
  RuleSubject,
  SubjectKind,
  Subjects,
} from "./rule.ts";
import { rules } from "./rules.ts";

/**
 * Judges decoded documents by the table of rules: Istio's validation (its errors and its warnings) and ours beyond it.
 * Findings come document by document in the order of the set, unsorted within a document. Total; what the decoder refused
 * is not here any more. A code's severity and origin stand in `diagnosticCodes`.
 */
export function validateDocuments(documents: DocumentSet): readonly Finding[] {
  const findings: Finding[] = [];
  const known: Known = {
    workloads: new RegisteredWorkloads(documents),
    providers: resolutions(documents),
    customPolicies: Map.groupBy(
      documents.authorizationPolicies.filter(({ action }) => action.value === "CUSTOM"),
      ({ head }) => head.namespace.value,
    ),
    repeatedRegistrations: repeatedRegistrations(documents.registrations),
  };
  const judge =
    (file: string): Visit =>
    (kind, subject) => {
      for (const row of rowsAbout(kind)) {
        for (const fault of row.find(subject, documents.mesh, known)) {
          findings.push({ code: row.code, file, ...fault });
        }
      }
    };
  for (const policy of documents.authorizationPolicies) visitPolicy(policy, judge(policy.head.file));
  for (const policy of documents.requestAuthentications) visitRequestAuthentication(policy, judge(policy.head.file));
  for (const policy of documents.peerAuthentications) visitPeerAuthentication(policy, judge(policy.head.file));
  for (const registration of documents.registrations) visitRegistration(registration, judge(registration.head.file));
  return findings;
}

function resolutions({ mesh, services, workloads }: DocumentSet): Known["providers"] {
  const sources = services.map((service) => serviceSource(service, workloads));
  return new Map(
    mesh.extensionProviders
      .map((provider) => resolveProvider(providerSource(provider), sources))
      .map((resolution) => [resolution.name, resolution]),
  );
}

type Visit = <Kind extends SubjectKind>(kind: Kind, subject: Subjects[Kind]) => void;

const rowsByKind: ReadonlyMap<SubjectKind, readonly AnyRow[]> = Map.groupBy(rules, ({ about }) => about);

function rowsAbout<Kind extends SubjectKind>(kind: Kind): readonly Row<Kind>[] {
  // The grouping key is the very member that tells the rows of the union apart.
  return (rowsByKind.get(kind) ?? []) as unknown as readonly Row<Kind>[];
}

function visitPolicy(policy: AuthorizationPolicy, visit: Visit): void {
  visit("document", policy);
  visit("placement", policy.placement);
  visit("policy", policy);
  for (const rule of policy.rules) visitRule(policy, rule, visit);
}

function visitRule(policy: AuthorizationPolicy, rule: RuleDocument, visit: Visit): void {
  const subject = { policy, rule };
  visit("rule", subject);
  for (const { source } of rule.from) {
    if (source === undefined) continue;
    visit("source", { ...subject, source });
    visitLists(subject, source, visit);
  }
  for (const { operation } of rule.to) {
    if (operation === undefined) continue;
    visit("operation", { ...subject, operation });
    visitLists(subject, operation, visit);
  }
  for (const condition of rule.when) visit("condition", { ...subject, condition });
  if (rule.extension !== undefined) visitExtension({ ...subject, extension: rule.extension }, visit);
}

function visitExtension(subject: ExtensionSubject, visit: Visit): void {
  const { policy, rule, extension } = subject;
  const { cel, denyResponse, allowResponse } = extension;
  visit("extension", subject);
  for (const expression of cel?.expressions ?? []) {
    visit("expression", { policy, rule, of: "condition", field: "cel", expression });
  }
  const visitFields = (
    place: ResponseFieldsSubject["place"],
    list: string,
    fields: ResponseFieldsSubject["fields"],
  ) => {
    visit("responseFields", { policy, rule, place, list, fields });
    for (const { name, value } of fields) visitValue(subject, `${list}.${name.value}`, value, visit);
  };
  if (denyResponse !== undefined) {
    visitFields("denial", "headers", denyResponse.headers);
    if (denyResponse.body !== undefined) visitValue(subject, "body", denyResponse.body, visit);
  }
  if (allowResponse !== undefined) {
    visitFields("request", "requestHeaders", allowResponse.requestHeaders);
    visitFields("response", "responseHeaders", allowResponse.responseHeaders);
    visitFields("metadata", "dynamicMetadata", allowResponse.dynamicMetadata);
  }
}

function visitValue({ policy, rule }: RuleSubject, field: string, value: ResponseValueDocument, visit: Visit): void {
  if (value.kind === "cel") visit("expression", { policy, rule, of: "value", field, expression: value.expression });
}

function visitLists(subject: RuleSubject, { fields }: Fields, visit: Visit): void {
  for (const [field, { values, notValues }] of Object.entries(fields) as [ListSubject["field"], FieldValues][]) {
    const lists: readonly [string, FieldValues["values"]][] = [
      [field, values],
      [twinOf(field), notValues],
    ];
    for (const [written, list] of lists) {
      if (list.length > 0) visit("list", { ...subject, field, written, values: list });
    }
  }
}

function visitRequestAuthentication(policy: RequestAuthentication, visit: Visit): void {
  visit("document", policy);
  visit("placement", policy.placement);
  visit("requestAuthentication", policy);
  for (const rule of policy.jwtRules) visit("jwtRule", rule);
}

function visitPeerAuthentication(policy: PeerAuthentication, visit: Visit): void {
  visit("document", policy);
  visit("placement", { selector: policy.selector, targetRef: undefined, targetRefs: [] });
  visit("peerAuthentication", policy);
}

function visitRegistration(registration: WorkloadRegistrationDocument, visit: Visit): void {
  visit("document", registration);
  visit("registration", registration);
  for (const caller of registration.callers) visit("registrationCaller", { registration, caller });
}
