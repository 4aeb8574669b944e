import type {
  AuthorizationPolicy,
  DocumentHead,
  JwtRuleDocument,
  MeshDocument,
  PeerAuthentication,
  RegistrationCallerDocument,
  RequestAuthentication,
  ServiceDocument,
  WorkloadDocument,
  WorkloadRegistrationDocument,
} from "#policy-compiler/document/model";
import type { Span } from "#policy-compiler/source/diagnostic";
import { describePlacement, describePolicySpec, describeSelector } from "./describe-policy.ts";
import {
  type FieldNode,
  type GroupNode,
  group,
  items,
  keyOf,
  located,
  mapGroup,
  texts,
  valueNode,
} from "./field-tree.ts";

/** A document that has a head. */
export type HeadedDocument =
  | AuthorizationPolicy
  | RequestAuthentication
  | PeerAuthentication
  | WorkloadDocument
  | ServiceDocument
  | WorkloadRegistrationDocument;

/** What a document says, field by field; the rules of an AuthorizationPolicy are left out, and what has no part in policies. */
export function describeDocument(document: HeadedDocument): GroupNode {
  const { head } = document;
  return group({ metadata: describeHead(head), spec: describeSpec(document) }, head.span);
}

/** The settings of `mesh.yaml` that are read, defaults among them. */
export function describeMesh(mesh: MeshDocument): GroupNode {
  const { spans } = mesh;
  return group({
    trustDomain: valueNode(mesh.trustDomain, spans.get("trustDomain")),
    trustDomainAliases: texts(mesh.trustDomainAliases, spans.get("trustDomainAliases")),
    rootNamespace: valueNode(mesh.rootNamespace, spans.get("rootNamespace")),
    pathNormalization: valueNode(mesh.pathNormalization, spans.get("pathNormalization")),
    numTrustedProxies: valueNode(mesh.numTrustedProxies, spans.get("defaultConfig")),
    extensionProviders: mapGroup(
      mesh.extensionProviders.map(({ name, kind, options, span }) => [
        name.value,
        group({ [kind]: describeJson(options, span) }, span),
      ]),
    ),
  });
}

/** Labels select, annotations make dry runs, creation times order PeerAuthentications. */
function describeHead({ labels, annotations, creationTimeMillis }: DocumentHead): GroupNode {
  const textsOf = (map: DocumentHead["labels"]) =>
    mapGroup([...map].map(([key, { value, span }]) => [key, valueNode(value, span)]));
  return group({
    labels: textsOf(labels),
    annotations: textsOf(annotations),
    creationTimestamp: creationTimeMillis === undefined ? undefined : valueNode(new Date(creationTimeMillis).toJSON()),
  });
}

function describeSpec(document: HeadedDocument): GroupNode {
  switch (document.type) {
    case "AuthorizationPolicy":
      return describePolicySpec(document);
    case "RequestAuthentication":
      return group({
        ...describePlacement(document.placement),
        jwtRules: items(document.jwtRules.map(describeJwtRule), true),
      });
    case "PeerAuthentication":
      return describePeerAuthentication(document);
    case "WorkloadEntry":
      return describeWorkload(document);
    case "ServiceEntry":
      return describeService(document);
    case "WorkloadRegistration":
      return describeRegistration(document);
  }
}

function describeJwtRule(rule: JwtRuleDocument): GroupNode {
  return group(
    {
      issuer: located(rule.issuer),
      audiences: texts(rule.audiences),
      jwksUri: located(rule.jwksUri),
      jwks: located(rule.jwks),
      fromHeaders: items(
        rule.fromHeaders.map(({ name, prefix, span }) => group({ name: located(name), prefix: located(prefix) }, span)),
        true,
      ),
      fromParams: texts(rule.fromParams),
      fromCookies: texts(rule.fromCookies),
      forwardOriginalToken: valueNode(rule.forwardOriginalToken),
      outputPayloadToHeader: located(rule.outputPayloadToHeader),
      outputClaimToHeaders: items(
        rule.outputClaimToHeaders.map(({ header, claim, span }) =>
          group({ header: located(header), claim: located(claim) }, span),
        ),
        true,
      ),
      timeout: located(rule.timeout),
      spaceDelimitedClaims: texts(rule.spaceDelimitedClaims),
    },
    rule.span,
  );
}

function describePeerAuthentication({ selector, mode, portLevelMtls }: PeerAuthentication): GroupNode {
  const ports = portLevelMtls?.ports.map(
    ({ port, mode: of }) => [port.value, group({ mode: valueNode(of.value, of.span) }, port.span)] as const,
  );
  return group({
    selector: describeSelector(selector),
    mtls: mode && group({ mode: located(mode) }, mode.span),
    portLevelMtls: ports && mapGroup(ports, portLevelMtls?.span),
  });
}

function describeWorkload({
  address,
  labels,
  serviceAccount,
  ports,
}: Omit<WorkloadDocument, "type" | "head">): GroupNode {
  return group({
    address: located(address),
    labels: mapGroup([...labels].map(([key, value]) => [key, valueNode(value)])),
    serviceAccount: located(serviceAccount),
    ports: mapGroup([...ports].map(([name, number]) => [name, valueNode(number)])),
  });
}

function describeService(service: ServiceDocument): GroupNode {
  const { hosts, ports, endpoints, workloadSelector, location, resolution } = service;
  return group({
    hosts: texts(hosts),
    // Nothing keeps two ports from having the same name, or none.
    ports: items(
      ports.map(({ name, number, targetPort, protocol }) =>
        group({
          name: valueNode(name),
          number: valueNode(number),
          targetPort: targetPort === undefined ? undefined : valueNode(targetPort),
          protocol: valueNode(protocol),
        }),
      ),
    ),
    // The workload of an endpoint is named by its place.
    endpoints: items(endpoints.map(describeWorkload), true),
    workloadSelector:
      workloadSelector && group({ labels: mapGroup([...workloadSelector].map(([k, v]) => [k, valueNode(v)])) }),
    location: location === undefined ? undefined : valueNode(location),
    resolution: resolution === undefined ? undefined : valueNode(resolution),
  });
}

function describeRegistration(registration: WorkloadRegistrationDocument): GroupNode {
  const { spiffeId, callers, dnsNames, keyKinds, ttl } = registration;
  return group({
    spiffeId: located(spiffeId),
    callers: items(callers.map(describeCaller)),
    dnsNames: texts(dnsNames?.values),
    keyKinds: texts(keyKinds?.values),
    ttl: ttl && group({ default: located(ttl.default), max: located(ttl.max) }, ttl.span),
  });
}

function describeCaller({ span, spiffeId, jwt, joinToken }: RegistrationCallerDocument): GroupNode {
  const claims = jwt?.claims?.items.flatMap(({ path, values }) => {
    const wanted = texts(values);
    return wanted === undefined ? [] : [[path.value, wanted] as const];
  });
  return group(
    {
      spiffeId: located(spiffeId),
      jwt: jwt && group({ issuer: located(jwt.issuer), claims: claims && mapGroup(claims) }, jwt.span),
      joinToken: joinToken && group({}, joinToken.span),
    },
    span,
  );
}

/** Options of a provider as they are kept: plain JSON, which stands where the provider does. */
function describeJson(json: unknown, span?: Span): FieldNode {
  if (Array.isArray(json)) return texts(json.map(jsonText), span) ?? valueNode("[]", span);
  if (typeof json !== "object" || json === null) return valueNode(String(json), span);
  const fields = Object.entries(json).map(([name, value]) => [name, describeJson(value, span)] as const);
  return group(Object.fromEntries(fields), span);
}

/** The same for items that say the same. */
function jsonText(item: unknown): string {
  return typeof item === "object" && item !== null ? keyOf(describeJson(item)) : String(item);
}
