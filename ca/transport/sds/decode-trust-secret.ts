import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { SecretSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";
import { SPIFFECertValidatorConfigSchema } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb";
import type { BundlePem } from "./encode-secret.ts";

/**
 * The bundles of a trust secret in the form that `encodeTrustSecret` gives it: this name, and every bundle inline, each of a trust domain of its own. Undefined: it is of another form. Not checked: the names
 * of the trust domains and the certificates. Never throws.
 */
export function decodeTrustSecret(name: string, body: Uint8Array): readonly BundlePem[] | undefined {
  try {
    const secret = fromBinary(SecretSchema, body);
    if (secret.name !== name || secret.type.case !== "validationContext") return undefined;
    const packed = secret.type.value.customValidatorConfig?.typedConfig;
    const validator = packed === undefined ? undefined : anyUnpack(packed, SPIFFECertValidatorConfigSchema);
    if (validator === undefined || validator.trustBundles !== undefined) return undefined;
    const bundles = validator.trustDomains.map(({ name: trustDomain, trustBundle }): BundlePem | undefined => {
      const source = trustBundle?.specifier;
      if (source?.case !== "inlineBytes") return undefined;
      return { trustDomain, pem: Buffer.from(source.value).toString("latin1") };
    });
    const whole = bundles.filter((bundle) => bundle !== undefined);
    const domains = new Set(whole.map(({ trustDomain }) => trustDomain));
    return domains.size === bundles.length && domains.size > 0 ? whole : undefined;
  } catch {
    // The library tells malformed bytes, of whatever kind, by throwing.
    return undefined;
  }
}
