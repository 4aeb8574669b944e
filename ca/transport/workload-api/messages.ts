import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { HeldCertificate } from "#ca/agent/contract";
import { encodePrivateKey } from "#ca/agent/private-key";
import type { TrustBundle } from "#ca/authorities/contract";
import { renderBundleDer } from "#ca/bundle/render-der";

/** An `X509SVIDResponse` (SPIFFE Workload API §5.2.1): one identity, with its key, and the bundle of its trust domain. The bytes hold the private key. */
export function encodeX509Svid(
  spiffeId: string,
  { privateKey, chain }: HeldCertificate,
  bundle: TrustBundle,
): Uint8Array {
  const svid = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(spiffeId)
    .tag(2, WireType.LengthDelimited)
    .bytes(Buffer.concat(chain.map(({ der }) => der)))
    .tag(3, WireType.LengthDelimited)
    .bytes(encodePrivateKey(privateKey))
    .tag(4, WireType.LengthDelimited)
    .bytes(renderBundleDer(bundle))
    .finish();
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(svid).finish();
}

/** An `X509BundlesResponse` (SPIFFE Workload API §5.2.2): the bundle under the ID of its trust domain. */
export function encodeX509Bundles(bundle: TrustBundle): Uint8Array {
  const entry = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(`spiffe://${bundle.trustDomain}`)
    .tag(2, WireType.LengthDelimited)
    .bytes(renderBundleDer(bundle))
    .finish();
  return new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(entry).finish();
}
