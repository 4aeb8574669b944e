import type { IssuingAuthority } from "#ca/authorities/contract";
import { createIssuingAuthority as create } from "#ca/authorities/issuing-authority";
import { reach } from "../points.ts";

export { fitsCertificate } from "#ca/authorities/issuing-authority";

/** An authority that dies around its signature. */
export function createIssuingAuthority(...args: Parameters<typeof create>): IssuingAuthority {
  const authority = create(...args);
  return Object.freeze({
    ...authority,
    sign(linted: Parameters<IssuingAuthority["sign"]>[0]) {
      reach("before-signature");
      const der = authority.sign(linted);
      reach("after-signature");
      return der;
    },
  });
}
