import type { TrustBundle } from "#ca/authorities/contract";
import type { Credentials } from "#ca/callers/contract";
import type { AuthorityService } from "#ca/service/contract";
import type { Need } from "./access.ts";

/** What the JSON door tells and does. */
export interface HttpParts {
  readonly service: AuthorityService;
  readonly version: string;
  readonly nowMillis: () => number;
  /** The anchors in PEM. */
  readonly renderPem: (bundle: TrustBundle) => string;
  /** The JWK set of SPIFFE's trust domain and bundle specification. */
  readonly renderJwks: (bundle: TrustBundle) => string;
  /** Names by which the door may be asked without a credential, lower case, an IPv6 address in brackets. Undefined: any. */
  readonly hosts: ReadonlySet<string> | undefined;
}

/** Who asks, as far as the door knows: `who` is the name of an administrator, and empty for anybody else. */
export interface Asking {
  readonly credentials: Credentials;
  readonly who: string;
}

declare module "fastify" {
  interface FastifyContextConfig {
    readonly need?: Need;
  }
}
