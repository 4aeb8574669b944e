import {
  type JwtRule,
  type Mesh,
  type MtlsMode,
  type PathNormalization,
  type PeerAuthenticationRule,
  type Provider,
  type RegisteredService,
  type RegisteredWorkload,
  type RequestAuthenticationRule,
  type ServiceResolution,
  serviceResolutions,
} from "#policy-compiler/ruleset/model";
import { originShape } from "./extension-shapes.ts";
import { attachmentShape, labelsShape } from "./rule-shapes.ts";
import { boolean, list, optional, pair, port, record, type Shape, text, uint, word } from "./shape.ts";

const texts = list(text);
const mtlsMode = word<MtlsMode>(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]);

export const meshShape: Shape<Mesh> = record<Mesh>({
  rootNamespace: text,
  trustDomain: text,
  trustDomainAliases: texts,
  pathNormalization: word<PathNormalization>(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]),
  numTrustedProxies: uint,
});

export const peerAuthenticationShape: Shape<PeerAuthenticationRule> = record<PeerAuthenticationRule>({
  namespace: text,
  name: text,
  labels: labelsShape,
  mode: mtlsMode,
  ports: list(pair(port, mtlsMode)),
  origin: originShape,
});

const jwtRuleShape: Shape<JwtRule> = record<JwtRule>({
  issuer: text,
  audiences: texts,
  jwksUri: optional(text),
  jwks: optional(text),
  fromHeaders: list(record({ name: text, prefix: text })),
  fromParams: texts,
  fromCookies: texts,
  forwardOriginalToken: boolean,
  outputPayloadToHeader: optional(text),
  outputClaimToHeaders: list(record({ header: text, claim: text })),
  timeoutMillis: optional(uint),
  spaceDelimitedClaims: texts,
  origin: originShape,
});

export const requestAuthenticationShape: Shape<RequestAuthenticationRule> = record<RequestAuthenticationRule>({
  namespace: text,
  name: text,
  attachment: attachmentShape,
  jwtRules: list(jwtRuleShape),
  origin: originShape,
});

export const workloadShape: Shape<RegisteredWorkload> = record<RegisteredWorkload>({
  namespace: text,
  name: text,
  labels: labelsShape,
  serviceAccount: optional(text),
  address: optional(text),
  ports: optional(list(port)),
  origin: originShape,
});

export const serviceShape: Shape<RegisteredService> = record<RegisteredService>({
  namespace: text,
  name: text,
  hosts: texts,
  ports: list(record({ number: port, name: text, protocol: text, targetPort: optional(port) })),
  resolution: word<ServiceResolution>(serviceResolutions),
  endpoints: list(record({ address: text, ports: list(pair(text, port)) })),
  origin: originShape,
});

export const providerShape: Shape<Provider> = record<Provider>({
  name: text,
  kind: word<Provider["kind"]>(["http", "grpc", "other"]),
  options: text,
});
