import type { BundleStream } from "#ca/rotation/contract";
import type { StreamStatus } from "#xds/contract";
import { secretTypeUrl } from "./encode-secret.ts";
import { parseSecretName } from "./secret-name.ts";
import { bundleVersionOf } from "./secret-type.ts";

/**
 * Who gets the bundle of this trust domain by a stream: one element for each stream and name of the bundle, `ALL` included, because each name is acknowledged for itself. A stream
 * that asks for keys alone is none.
 */
export function bundleStreams(streams: readonly StreamStatus[], trustDomain: string): readonly BundleStream[] {
  return streams.flatMap(({ typeUrl, caller, fingerprint, node, names }) =>
    typeUrl !== secretTypeUrl
      ? []
      : names.flatMap(({ name, acknowledged, rejected }) => {
          const wanted = parseSecretName(name, trustDomain);
          if (wanted === undefined || wanted.kind === "key") return [];
          if (wanted.kind === "bundle" && wanted.trustDomain !== trustDomain) return [];
          return {
            spiffeId: caller,
            fingerprint,
            node,
            acknowledged: acknowledged === undefined ? undefined : bundleVersionOf(acknowledged),
            rejected: rejected && { version: bundleVersionOf(rejected.version), message: rejected.message },
          };
        }),
  );
}
