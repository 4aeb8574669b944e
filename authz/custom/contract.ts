import type { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString, RuleSet } from "#policy-compiler/ruleset/model";

/** What a provider is asked about. `request` is what the stages before have left; it is not changed. */
export interface ProviderQuestion {
  /** Undefined: a connection (TCP). */
  readonly http:
    | {
        readonly request: EditedRequest;
        readonly method: ByteString;
        readonly authority: ByteString;
        readonly scheme: ByteString;
        /** `HTTP/1.1`, … as Envoy says it. */
        readonly protocol: ByteString;
        /** Names of the header lines received, lower case, in order, each once; pseudo headers included. */
        readonly headerNames: readonly ByteString[];
        /** What Envoy sent of the body; undefined: it was not told to send any. */
        readonly body: Uint8Array | undefined;
        /** Envoy sent less than the whole body (`x-envoy-auth-partial-body: true`). */
        readonly bodyIsPartial: boolean;
      }
    | undefined;
  /** The CheckRequest as received, where the check came by gRPC: what a gRPC provider is sent is made of it. */
  readonly message: Uint8Array | undefined;
  /** What else a gRPC provider is told, for checks that did not come by gRPC. */
  readonly peers: {
    readonly source: ProviderPeer;
    readonly destination: ProviderPeer;
    readonly sni: ByteString | undefined;
  };
}

/** One end of the connection, as Envoy told it. */
export interface ProviderPeer {
  readonly address: ByteString | undefined;
  readonly port: number;
  readonly principal: ByteString;
}

/**
 * What a provider's answer comes to, its options (`failOpen`, `statusOnError`) applied. `detail` is for the log: never a header's value or a
 * body.
 */
export type ProviderOutcome =
  | {
      readonly kind: "allowed";
      /** The request with the provider's edits, as Envoy would make them. */
      readonly request: EditedRequest | undefined;
      /** Headers that the client gets with the upstream's answer; `add`: beside what is there, else in its place. */
      readonly responseHeaders: readonly ProviderHeader[];
      /** The provider failed and the options let the request pass. */
      readonly failedOpen: string | undefined;
    }
  | {
      readonly kind: "denied";
      readonly status: number;
      readonly headers: readonly ProviderHeader[];
      readonly body: ByteString;
    }
  /** The body is larger than the provider takes: Envoy's 413, whatever the options say. */
  | { readonly kind: "bodyTooLarge" }
  /** The provider failed: what the client gets is `status` and an empty body. */
  | { readonly kind: "failed"; readonly status: number; readonly detail: string };

/** A header for the client that a provider asks for. */
export interface ProviderHeader {
  /** Lower case. */
  readonly name: ByteString;
  readonly value: ByteString;
  readonly add: boolean;
  /** Of an allowed answer: only if the upstream's answer has no header of the name, or only if it has one. */
  readonly onlyIf?: "absent" | "present";
}

/** One extension provider of a rule set, resolved. */
export interface CustomProvider {
  readonly name: string;
  readonly kind: "http" | "grpc";
  /** The body that it wants to see, so that snippets and warnings can say so. */
  readonly wantsBody: boolean;
  /**
   * Asks. Never rejects: whatever goes wrong is an outcome. Answers before `remainingMillis`, counted from the call, has passed.
   */
  ask(question: ProviderQuestion, remainingMillis: number): Promise<ProviderOutcome>;
}

/** The extension providers of one rule set, made with it and pinned with it. */
export interface CustomProviders {
  /** Undefined: not defined, invalid, or its service is not known; Istio denies what matches. `why` says which. */
  find(name: string): CustomProvider | undefined;
  why(name: string): string;
}

/** A provider on the status page: nothing that it wrote. */
export interface ProviderStatus {
  readonly name: string;
  /** Its service, and where that is. */
  readonly target: string;
  /** The newest question that got no answer that counts; it stays when later ones are answered. */
  readonly lastFault: { readonly message: string; readonly atMillis: number } | undefined;
  /** The newest question that could be put to it was not answered. */
  readonly failing: boolean;
  /** What becomes of requests while it fails: they go on (`failOpen`). */
  readonly failOpen: boolean;
}

/** Connections to providers, kept over changes of rules. */
export interface ProviderConnections {
  /** Resolves every provider of a rule set by its services. Opens no connection. Never fails. */
  providersOf(ruleSet: RuleSet): CustomProviders;
  /** For metrics and status: what is open and how the last calls went. */
  status(): readonly ProviderStatus[];
  stop(): Promise<void>;
}
