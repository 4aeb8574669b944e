import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * What conditions can speak of, as whoever decides knows it. Text is byte strings, as everywhere in a request; the attribute table
 * (`attributes.ts`) makes of it what an expression sees.
 *
 * `UNKNOWN_FACT`: the request did not bring it. Not the same as `undefined`, absent: Envoy says that there is none.
 */
export const UNKNOWN_FACT: unique symbol = Symbol("unknown fact");
/** What is known of one attribute: its value, that there is none (`undefined`), or that nobody told. */
export type Fact<T> = T | undefined | typeof UNKNOWN_FACT;

export interface AddressFact {
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[] | Uint8Array;
}

/** Every member is read when an expression that speaks of it is evaluated, and not before. */
export interface Facts {
  /** Undefined: a connection (TCP). Everything about a request is unknown there. */
  readonly request: RequestFacts | undefined;
  /** Physical peer, and the client behind trusted proxies. */
  readonly sourceAddress: Fact<AddressFact>;
  readonly remoteAddress: Fact<AddressFact>;
  /** The first URI name of the verified peer, `spiffe://` included. */
  readonly sourcePrincipal: Fact<ByteString>;
  /** Not a member at all: unknown. The same for the name of the destination. */
  readonly sourcePort?: Fact<number>;
  /** The first URI name of the certificate that Envoy itself showed. */
  readonly destinationPrincipal?: Fact<ByteString>;
  readonly destinationAddress: Fact<AddressFact>;
  readonly destinationPort: Fact<number>;
  readonly sni: Fact<ByteString>;
  readonly tls: Fact<boolean>;
  readonly workload: {
    readonly namespace: string;
    readonly name: string | undefined;
    readonly labels: ReadonlyMap<string, string>;
  };
  /**
   * Claims of the token whose claims policies see; absent: no token was verified. Unknown before tokens were looked at. The object is not
   * written any more: what was made of it is kept as long as it is.
   */
  readonly claims: Fact<Readonly<Record<ByteString, unknown>>>;
  /** Claims of every token that was verified, in the order in which they were; not written any more either. */
  readonly tokens: Fact<readonly Readonly<Record<ByteString, unknown>>[]>;
  /** Unix milliseconds, by the injected clock; the same for one check. */
  readonly nowMillis: number;
}

export interface RequestFacts {
  readonly method: Fact<ByteString>;
  readonly host: Fact<ByteString>;
  /** Normal form, without query. */
  readonly path: Fact<ByteString>;
  /** Normal form, with query. */
  readonly target: Fact<ByteString>;
  readonly scheme: Fact<ByteString>;
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol: Fact<ByteString>;
  /** Bytes of the body as announced; absent: not announced. */
  readonly size: Fact<number>;
  /** Lines of one header by lower-case name. `joined`: they came as one text, which may be several lines. */
  header(name: ByteString): { readonly lines: readonly ByteString[]; readonly joined: boolean } | undefined;
  headerNames(): readonly ByteString[];
}

/** Why a condition has no value. Recorded by its code alone: messages can hold values of a request. */
export type ConditionFault =
  /** It reads an attribute that the request did not bring. */
  | { readonly code: "condition/unknown-attribute"; readonly attribute: string }
  /** Evaluation failed; `library` is the library's own code, or one of our functions' (`evaluation-fault.ts`). */
  | { readonly code: "condition/error"; readonly library: string }
  /** An attribute is larger than conditions may walk. */
  | { readonly code: "condition/too-large"; readonly attribute: string }
  /** The result is neither true nor false. */
  | { readonly code: "condition/no-bool" };

export type ConditionResult =
  | { readonly value: boolean }
  | { readonly value?: undefined; readonly fault: ConditionFault };

/** An expression made ready. Pure but for what it is given; never throws, never returns a promise. */
export interface CompiledCondition {
  readonly text: string;
  /** Upper bound of its work, in nodes of the tree that are visited. */
  readonly cost: number;
  /** Names of the attributes that it reads, sorted. */
  readonly attributes: readonly string[];
  evaluate(facts: Facts): ConditionResult;
  /** Every sub-expression with what it came to, outermost first, for people. Slow. */
  trace(facts: Facts): readonly TracedExpression[];
}

export interface TracedExpression {
  /** UTF-16 offsets into the text. */
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  /** As CEL writes it, cut to a bounded length; values that must not be shown are replaced (redaction table). */
  readonly shown: string;
}

/** A value of an answer: an expression that comes to text. */
export interface CompiledValue {
  readonly text: string;
  readonly cost: number;
  readonly attributes: readonly string[];
  /** The text as a byte string. */
  evaluate(
    facts: Facts,
  ): { readonly value: ByteString } | { readonly value?: undefined; readonly fault: ConditionFault };
}

/** A fault of an expression, with its place in the text in UTF-16 offsets. */
export interface ExpressionFault {
  readonly code:
    | "condition/syntax"
    | "condition/type"
    | "condition/not-allowed"
    | "condition/pattern"
    | "condition/too-complex"
    | "condition/literal"
    | "condition/claims-before-tokens";
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly help?: string;
}

export interface ExpressionPlace {
  /** Under CUSTOM, before tokens are looked at: an expression that reads claims is refused. */
  readonly beforeTokens: boolean;
}

/** `compile.ts`. The same text gives the same result. Both at compile time (to check) and at load (to run). */
export type CompileCondition = (
  text: string,
  place: ExpressionPlace,
) =>
  | { readonly ok: true; readonly condition: CompiledCondition }
  | { readonly ok: false; readonly fault: ExpressionFault };

/** The same for a value: type `string`. */
export type CompileValue = (
  text: string,
  place: ExpressionPlace,
) => { readonly ok: true; readonly value: CompiledValue } | { readonly ok: false; readonly fault: ExpressionFault };
