import type { AuthorityRecord, CertificateInUse, RootWaiver } from "#ca/store/contract";

/** Somebody who gets the trust bundle by a stream, and says when it has it. */
export interface BundleStream {
  /** SPIFFE ID of the caller. */
  readonly spiffeId: string;
  /** SHA-256 of the certificate that it brought, hex: which of those that are in use it speaks for. */
  readonly fingerprint: string | undefined;
  /** `node.id` as it gave it: shown, never believed. */
  readonly node: string;
  /** `bundleVersion` of what it acknowledged last. */
  readonly acknowledged: string | undefined;
  /** What it rejected since, in its own words. */
  readonly rejected: { readonly version: string; readonly message: string } | undefined;
}

export interface RotationSettings {
  /** An answer reaches whoever asked for it in so long, or is asked for again; and every replica has looked at the store. */
  readonly settleMillis: number;
  /** Clocks of relying parties may be so far off: what has ended is in use so much longer. */
  readonly skewMillis: number;
  /** How often it is seen whether something can go on. */
  readonly lookMillis: number;
}

export type RootState = AuthorityRecord["state"];

/** A trust anchor, as far as its replacement is concerned. */
export interface RootView {
  readonly keyId: string;
  readonly subject: string;
  readonly state: RootState;
  readonly stateMillis: number;
  readonly notAfterMillis: number;
}

/** All that is looked at to tell what may be done with the roots now. */
export interface RotationView {
  /** In the order of their making. */
  readonly roots: readonly RootView[];
  /** Key id of the root above each issuing authority, by its own. */
  readonly rootOfIssuer: ReadonlyMap<string, string>;
  /** The root above the issuing authority in force. */
  readonly signingRootKeyId: string | undefined;
  /** The bundle in force. */
  readonly bundle: { readonly sequence: number; readonly version: string };
  /** Those that have not ended `skewMillis` ago. */
  readonly certificates: readonly CertificateInUse[];
  readonly streams: readonly BundleStream[];
  /** Identities that the root that is on its way need not wait for. */
  readonly waived: ReadonlySet<string>;
  /** Of the issuing authority under the root that is on its way: undefined: not tested now; else why it does not work, or that it does. */
  readonly selfTest: { readonly ok: true } | { readonly ok: false; readonly message: string } | undefined;
  readonly nowMillis: number;
  readonly settings: RotationSettings;
}

/** What keeps a root from its next state. */
export type Hold =
  | { readonly kind: "self-test"; readonly message: string }
  /** It signs: the issuing authority in force stands under it. */
  | { readonly kind: "in-force" }
  /** Nobody: some time has to pass. */
  | { readonly kind: "time"; readonly untilMillis: number }
  /** A certificate in use. At `untilMillis` it holds nothing up any more, whatever happens. */
  | {
      readonly kind: "certificate";
      readonly spiffeId: string;
      readonly serialHex: string;
      readonly untilMillis: number;
    }
  /** A live stream; `rejected`: its own words, where it refused the bundle in force. */
  | {
      readonly kind: "stream";
      readonly spiffeId: string;
      readonly node: string;
      readonly rejected: string | undefined;
    };

/** The next state of a root, and what it waits for. */
export interface RootStep {
  readonly rootKeyId: string;
  readonly from: RootState;
  readonly to: RootState;
  /** Nothing: it may be taken now. */
  readonly heldUpBy: readonly Hold[];
}

export interface RotationStatus {
  readonly roots: readonly RootView[];
  readonly bundle: RotationView["bundle"];
  /** Of the root that is on its way, and of those that leave. */
  readonly steps: readonly RootStep[];
  /** For the root that is on its way. */
  readonly waivers: readonly RootWaiver[];
  /** Why the last look could not do what was to be done. */
  readonly fault: string | undefined;
}

/** What an emergency would do now, and to whom. */
export interface EmergencyPlan {
  readonly action: "activate" | "remove";
  readonly rootKeyId: string;
  readonly subject: string;
  /** How many identities would break. */
  readonly identities: number;
  /** Who would: those who do not trust the root that becomes active, or who stand under the one that is removed. */
  readonly breaks: readonly Hold[];
  /** What is to be typed to have it done; another as soon as another number would break. */
  readonly confirmation: string;
}

/** When proxies break, if nothing is issued any more. */
export interface Forecast {
  /** Proxies that hold a certificate which nothing newer replaces, the authority itself not among them. */
  readonly proxies: number;
  readonly identities: number;
  /** When the first, half of them, and the last break; undefined: there are none. */
  readonly ends:
    | {
        readonly firstMillis: number;
        readonly firstSpiffeId: string;
        readonly halfMillis: number;
        readonly lastMillis: number;
      }
    | undefined;
  /** If one of these were removed now. */
  readonly ifRemoved: readonly {
    readonly role: "root" | "issuing";
    readonly keyId: string;
    readonly proxies: number;
    readonly identities: number;
    /** Some of them. */
    readonly named: readonly string[];
  }[];
}

/** The rotation at a glance, as of the last look. */
export interface RotationSummary {
  /** Of the root that is on its way, else of the one that leaves; undefined: neither is there. */
  readonly state: RootState | undefined;
  /** How many certificates and streams hold it up. */
  readonly stragglers: number;
  /** When the first proxy breaks if nothing is issued any more; undefined: there is none. */
  readonly firstBreakMillis: number | undefined;
  /** How far that is from now, 0 where it is over. */
  readonly outageBudgetMillis: number | undefined;
  readonly warnings: readonly string[];
}

/** How a root is replaced. Calls fail as the store does. */
export interface RootRotation {
  /**
   * Makes a new root, or goes on with the one that is on its way. From then on every step is taken as soon as nothing holds it up, also by a program that is started later. Fails with
   * `ca-authority/…`.
   */
  rotate(by: string): Promise<RotationStatus>;
  status(): Promise<RotationStatus>;
  /** Withdraws the root that is on its way. Fails with `ca-rotation/too-late` after its activation, `ca-rotation/none` where there is none. */
  abort(by: string): Promise<RotationStatus>;
  /** The root that is on its way need not wait for the identity. Fails with `ca-rotation/none`, and with `ca-rotation/not-waited-for` for one that holds nothing up. */
  waive(spiffeId: string, reason: string, by: string): Promise<RotationStatus>;
  /**
   * What would be done without waiting: the activation of the root that is on its way, else the removal of the one that leaves; or of `remove`, a key id or the beginning of one. Fails with `ca-rotation/none` where there is nothing to
   * force, `ca-rotation/root` for a root that cannot be removed.
   */
  plan(remove?: string): Promise<EmergencyPlan>;
  /** Does what `plan` says now. Fails as it does, and with `ca-rotation/confirmation` for another text than the plan's. */
  force(confirmation: string, remove: string | undefined, by: string): Promise<RotationStatus>;
  forecast(): Promise<Forecast>;
}
