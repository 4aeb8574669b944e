import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { DataSourceSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import { SecretSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";
import { SPIFFECertValidatorConfigSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb";

export const secretTypeUrl = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
export const secretService = "envoy.service.secret.v3.SecretDiscoveryService";

/** Envoy's extension that picks the anchors by the trust domain of the peer's URI. */
export const spiffeValidator = "envoy.tls.cert_validator.spiffe";

export interface KeyPem {
  /** Leaf first, then the intermediates; no root. */
  readonly chainPem: string;
  /** Not encrypted. */
  readonly keyPem: string;
}

/** The anchors of one trust domain. */
export interface BundlePem {
  readonly trustDomain: string;
  readonly pem: string;
}

/** Envoy's `Secret` of a key and its chain, inline. The bytes hold the private key. Not checked: that key and chain fit. */
export function encodeKeySecret(name: string, { chainPem, keyPem }: KeyPem): Uint8Array {
  const secret = create(SecretSchema, {
    name,
    type: { case: "tlsCertificate", value: { certificateChain: inline(chainPem), privateKey: inline(keyPem) } },
  });
  return toBinary(SecretSchema, secret);
}

/**
 * Envoy's `Secret` of a validation context: the SPIFFE validator with each bundle under its own trust domain, so that no anchor speaks for another one's identities. `trusted_ca`
 * would make one pool of them, and Envoy passes over it beside the validator. Throws for no bundle, and for two of one trust domain: Envoy takes neither.
 */
export function encodeTrustSecret(name: string, bundles: readonly BundlePem[]): Uint8Array {
  if (bundles.length === 0 || new Set(bundles.map(({ trustDomain }) => trustDomain)).size !== bundles.length)
    throw new Error("expected bundles, each of a trust domain of its own");
  const validator = create(SPIFFECertValidatorConfigSchema, {
    trustDomains: bundles.map(({ trustDomain, pem }) => ({ name: trustDomain, trustBundle: inline(pem) })),
  });
  const secret = create(SecretSchema, {
    name,
    type: {
      case: "validationContext",
      value: {
        customValidatorConfig: {
          name: spiffeValidator,
          typedConfig: anyPack(SPIFFECertValidatorConfigSchema, validator),
        },
      },
    },
  });
  return toBinary(SecretSchema, secret);
}

function inline(pem: string): MessageInitShape<typeof DataSourceSchema> {
  return { specifier: { case: "inlineBytes", value: new Uint8Array(Buffer.from(pem, "ascii")) } };
}
