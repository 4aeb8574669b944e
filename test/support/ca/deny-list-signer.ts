import type { KeyObject } from "node:crypto";
import { denyListSignerId } from "#ca/deny-list/contract";
import type { DenyListSigner } from "#ca/deny-list/sign-deny-list";
import { keyPair, makeLeaf, type TestAuthority } from "./make-certificate.ts";

/** A signer of the deny list of `cluster.local` under this authority, or what the changes make of it. */
export function makeSigner(
  issuing: TestAuthority,
  changes: Parameters<typeof makeLeaf>[1] & { readonly kind?: "P-256" | "P-384"; readonly key?: KeyObject } = {},
): DenyListSigner {
  const { kind = "P-256", key, ...template } = changes;
  const { privateKey, spkiDer } = keyPair(kind, "deny list");
  const leaf = makeLeaf(issuing, {
    uri: denyListSignerId("cluster.local"),
    subjectPublicKeyDer: spkiDer,
    ...template,
  });
  return { privateKey: key ?? privateKey, chainDer: [leaf.der, issuing.certificate.der] };
}
