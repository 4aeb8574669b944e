import type { TrustBundle } from "#ca/authorities/contract";
import { writePem } from "#ca/x509/pem";

const rendered = new WeakMap<TrustBundle, string>();

/** All anchors as one text, each block ending with a line break: the last element of every chain. Made once a bundle. */
export function renderBundlePem(bundle: TrustBundle): string {
  let text = rendered.get(bundle);
  if (text === undefined) {
    text = bundle.anchors.map(({ der }) => writePem("CERTIFICATE", der)).join("");
    rendered.set(bundle, text);
  }
  return text;
}
