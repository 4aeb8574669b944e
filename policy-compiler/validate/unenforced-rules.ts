import type { Located } from "#policy-compiler/source/diagnostic";
import type { AnyRow } from "./rule.ts";

/** What is compiled here and not enforced as Istio would: authors learn of it before their clients do. */
export const unenforcedRows: readonly AnyRow[] = [
  {
    code: "lint/mtls-disabled",
    about: "peerAuthentication",
    *find({ mode, portLevelMtls }) {
      for (const { value, span } of [...(mode === undefined ? [] : [mode]), ...portModes(portLevelMtls)]) {
        if (value !== "DISABLE") continue;
        yield {
          span,
          message:
            "expected a mode that asks for or takes mutual TLS, found `DISABLE`; it is the asking Envoy that terminates TLS, and where it does, identities count as sent",
          help: "take TLS from the Envoy's listener if plaintext is meant",
        };
      }
    },
  },
];

function portModes(portLevelMtls: { readonly ports: readonly { readonly mode: Located<string> }[] } | undefined) {
  return (portLevelMtls?.ports ?? []).map(({ mode }) => mode);
}
