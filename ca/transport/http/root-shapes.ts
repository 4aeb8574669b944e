/** What the JSON door says of the replacement of the root. Times are ISO 8601 in UTC; what is absent is left out. */

/** What holds a step up: `self-test`, `in-force`, `time`, `certificate`, `stream`. */
export interface HoldShape {
  readonly kind: string;
  readonly spiffeId?: string;
  readonly serial?: string;
  /** As the client of a stream calls itself. */
  readonly node?: string;
  /** From then on it holds nothing up, whatever happens. */
  readonly until?: string;
  /** Why the self-test failed; in a client's own words, why it refuses the bundle. */
  readonly message?: string;
}

export interface RootStepShape {
  readonly root: string;
  readonly from: string;
  readonly to: string;
  /** All that hold it up; the first hundred are listed. */
  readonly waitsFor: number;
  readonly heldUpBy: readonly HoldShape[];
}

/** GET /v1/ca/root, and the answer to every change of it. */
export interface RotationShape {
  readonly roots: readonly {
    readonly keyId: string;
    readonly subject: string;
    readonly state: string;
    readonly since: string;
    readonly notAfter: string;
  }[];
  readonly bundle: { readonly sequence: number; readonly version: string };
  readonly steps: readonly RootStepShape[];
  readonly waivers: readonly {
    readonly root: string;
    readonly spiffeId: string;
    readonly at: string;
    readonly by: string;
    readonly reason: string;
  }[];
  readonly fault?: string;
}

/** POST /v1/ca/root/waivers. */
export interface WaiverQuestion {
  readonly spiffeId: string;
  readonly reason: string;
}

/** GET /v1/ca/root/plan. */
export interface PlanShape {
  readonly action: "activate" | "remove";
  readonly root: string;
  readonly subject: string;
  readonly identities: number;
  /** Certificates and streams; the first hundred are listed. */
  readonly broken: number;
  readonly breaks: readonly HoldShape[];
  /** To be typed. */
  readonly confirmation: string;
}

/** POST /v1/ca/root/force. */
export interface ForceQuestion {
  readonly confirmation: string;
  /** Key id of the root that is removed, or the beginning of it; absent: the next step of the rotation. */
  readonly remove?: string;
}

/** GET /v1/ca/forecast. */
export interface ForecastShape {
  readonly proxies: number;
  readonly identities: number;
  /** Absent: there is none. */
  readonly first?: { readonly at: string; readonly spiffeId: string };
  readonly half?: string;
  readonly last?: string;
  readonly ifRemoved: readonly {
    readonly role: string;
    readonly keyId: string;
    readonly proxies: number;
    readonly identities: number;
    readonly named: readonly string[];
  }[];
}
