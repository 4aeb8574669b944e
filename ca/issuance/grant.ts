import type { ProvenCsr } from "#ca/csr/contract";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { SpiffeId } from "#identity/spiffe-id";
import type { Lifetime } from "./lifetime.ts";

/** What was decided before a certificate is built: whose it is, for how long, for which key. */
export interface GrantParts {
  readonly id: SpiffeId;
  readonly dnsNames: readonly string[];
  /** 4 or 16 bytes each: of the authority's own server certificate alone. */
  readonly ipAddresses: readonly Uint8Array[];
  /** All that survives of a request. */
  readonly publicKey: SubjectPublicKey;
  readonly lifetime: Lifetime;
}

/**
 * The authority's decision that a key may have an identity. INVARIANT: made by `toCaller` and `toSelf` alone, from an authorized identity and a key
 * whose private half was proven; a certificate is built from nothing else.
 */
export class Grant {
  /** An object that merely looks like a grant is none. */
  readonly #granted = true;
  readonly id: SpiffeId;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly Uint8Array[];
  readonly publicKey: SubjectPublicKey;
  readonly lifetime: Lifetime;

  private constructor(parts: GrantParts) {
    this.id = parts.id;
    this.dnsNames = parts.dnsNames;
    this.ipAddresses = parts.ipAddresses;
    this.publicKey = parts.publicKey;
    this.lifetime = parts.lifetime;
  }

  static is(value: object): value is Grant {
    return #granted in value && value.#granted;
  }

  /** Names come from the registration, never from the request, of which the key alone is taken. */
  static toCaller(id: SpiffeId, entry: RegistrationEntry, { publicKey }: ProvenCsr, lifetime: Lifetime): Grant {
    return new Grant({ id, dnsNames: entry.dnsNames, ipAddresses: [], publicKey, lifetime });
  }

  /** The authority's own server certificate, for a key that it made itself. */
  static toSelf(parts: GrantParts): Grant {
    return new Grant(parts);
  }
}
