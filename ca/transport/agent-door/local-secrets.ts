import type { HeldCertificate, ServedIdentity } from "#ca/agent/contract";
import { writePrivateKey } from "#ca/agent/private-key";
import type { TrustBundle } from "#ca/authorities/contract";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { writePem } from "#ca/x509/pem";
import type { Bundles, OwnKey, SecretHolder } from "../sds/secret-type.ts";

/** What whoever can open the socket of an identity may have as secrets: its key, and its bundle. Certificates that ended stay: Envoy has nothing better, and its peers refuse them. */
export function createLocalSecrets(served: ServedIdentity): SecretHolder {
  const keys = new WeakMap<HeldCertificate, OwnKey>();
  const bundles = new WeakMap<TrustBundle, Bundles>();
  return {
    id: served.spiffeId,
    bundles() {
      const bundle = served.bundle();
      return bundle && once(bundles, bundle, bundlesOf);
    },
    key() {
      const held = served.certificate();
      return held && once(keys, held, keyOf);
    },
    ended: () => undefined,
    subscribe: (changed) => served.subscribe(changed),
  };
}

function bundlesOf(bundle: TrustBundle): Bundles {
  const { trustDomain } = bundle;
  return { own: { trustDomain, pem: renderBundlePem(bundle), version: bundleVersion(bundle) }, foreign: [] };
}

function keyOf({ privateKey, chain }: HeldCertificate): OwnKey {
  return {
    chainPem: chain.map(({ der }) => writePem("CERTIFICATE", der)).join(""),
    keyPem: writePrivateKey(privateKey),
    publicKeyDer: chain[0]!.spkiDer,
  };
}

function once<K extends object, V>(made: WeakMap<K, V>, from: K, make: (from: K) => V): V {
  const known = made.get(from);
  if (known !== undefined) return known;
  const value = make(from);
  made.set(from, value);
  return value;
}
