/** Why the keys of an issuer could not be refreshed, beyond what the network says. `docs/faults.md` is written from it. */
export const keySourceFaults = {
  "keys/unusable":
    "The document of an issuer's keys came, and no key in it can be used. The last good keys stay for as long as they may.",
  "keys/too-many": "The document of an issuer's keys holds more keys than are taken. The last good keys stay.",
  "keys/discovery": "An issuer's discovery document came, and names no `jwks_uri` that is text.",
  "keys/failed": "Keys could not be refreshed because of a defect of ours. The last good keys stay.",
} as const satisfies Readonly<Record<`keys/${string}`, string>>;

/** A fault as the status page tells it. `message` is one line and holds nothing secret. */
export interface KeySourceFault {
  /** Of the table above, or of that of the network. */
  readonly code: string;
  readonly message: string;
}

/** A fault as a value. */
export function keySourceFault(code: keyof typeof keySourceFaults, message: string): KeySourceFault {
  return { code, message };
}
