import { compareBackwards } from "#policy-compiler/ruleset/compare-backwards";
import type { ByteString, IndexDimension, IndexKey } from "#policy-compiler/ruleset/model";

/** A place where rules can be filed: one value of one dimension, with what is known of how common it is. */
export interface Anchor {
  readonly op: "exact" | "prefix" | "suffix" | "cidr" | "present";
  /** The bytes as characters for `cidr`, empty for `present`. */
  readonly text: ByteString;
  /** `cidr` only. */
  readonly prefixLength: number;
  /** In how many rules a field asks for this value. */
  uses: number;
  /** An estimate of how many rules a request that has this value will find here. */
  cost: number;
  rules: readonly number[];
}

/** One dimension while it is built. Anchors are interned. */
export class Dimension {
  readonly on: IndexKey;
  readonly #texts = {
    exact: new Map<string, Anchor>(),
    prefix: new Map<string, Anchor>(),
    suffix: new Map<string, Anchor>(),
  };
  readonly #blocks = new Map<string, Anchor>();
  #present: Anchor | undefined;

  constructor(on: IndexKey) {
    this.on = on;
  }

  /** Every anchor of one kind, in the order in which they were first asked for. */
  of(op: Anchor["op"]): readonly Anchor[] {
    if (op === "present") return this.#present === undefined ? [] : [this.#present];
    return [...(op === "cidr" ? this.#blocks : this.#texts[op]).values()];
  }

  text(op: "exact" | "prefix" | "suffix", text: ByteString): Anchor {
    const anchors = this.#texts[op];
    let anchor = anchors.get(text);
    if (anchor === undefined) {
      anchor = newAnchor(op, text, 0);
      anchors.set(text, anchor);
    }
    return anchor;
  }

  present(): Anchor {
    this.#present ??= newAnchor("present", "", 0);
    return this.#present;
  }

  cidr(bytes: readonly number[], prefixLength: number): Anchor {
    const text = String.fromCharCode(...bytes);
    const key = `${prefixLength} ${text}`;
    let anchor = this.#blocks.get(key);
    if (anchor === undefined) {
      anchor = newAnchor("cidr", text, prefixLength);
      this.#blocks.set(key, anchor);
    }
    return anchor;
  }
}

const NONE: readonly number[] = [];

function newAnchor(op: Anchor["op"], text: ByteString, prefixLength: number): Anchor {
  return { op, text, prefixLength, uses: 0, cost: 0, rules: NONE };
}

/** Files a rule. Ids have to come in ascending order. */
export function file(anchor: Anchor, rule: number): void {
  // PERF: most anchors of a large rule set are never filed under; they share one empty list.
  if (anchor.rules === NONE) anchor.rules = [rule];
  else (anchor.rules as number[]).push(rule);
}

/** The dimensions of one index, each made when it is first asked for. */
export class Dimensions {
  readonly #byName = new Map<string, Dimension>();

  on(key: IndexKey): Dimension {
    const name = dimensionName(key);
    let dimension = this.#byName.get(name);
    if (dimension === undefined) {
      dimension = new Dimension(key);
      this.#byName.set(name, dimension);
    }
    return dimension;
  }

  get all(): Iterable<Dimension> {
    return this.#byName.values();
  }

  /** What was filed, in an order that the input alone decides; dimensions without rules are left out. */
  toData(): readonly IndexDimension[] {
    return [...this.#byName]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, dimension]) => toData(dimension))
      .filter((dimension) => dimension !== undefined);
  }
}

/** One text for each dimension. JSON keeps names apart that hold any character. */
function dimensionName(key: IndexKey): string {
  if (key.kind === "workloadLabel") return JSON.stringify([key.kind, key.key]);
  if (key.kind !== "attribute") return key.kind;
  const attribute = key.attribute;
  switch (attribute.kind) {
    case "header":
      return JSON.stringify(["header", attribute.name]);
    case "claim":
      return JSON.stringify(["claim", ...attribute.path]);
    case "metadata":
      return JSON.stringify(["metadata", attribute.namespace, attribute.key]);
    default:
      return attribute.kind;
  }
}

function toData(dimension: Dimension): IndexDimension | undefined {
  const filed = (op: Anchor["op"]) => dimension.of(op).filter(({ rules }) => rules.length > 0);
  const pair = ({ text, rules }: Anchor): readonly [ByteString, readonly number[]] => [text, rules];
  const data = {
    on: dimension.on,
    exact: filed("exact").sort(ascending).map(pair),
    prefix: filed("prefix").sort(ascending).map(pair),
    suffix: filed("suffix").sort(ascendingBackwards).map(pair),
    cidr: filed("cidr")
      .sort((a, b) => a.text.length - b.text.length || ascending(a, b) || a.prefixLength - b.prefixLength)
      .map(({ text, prefixLength, rules }) => ({
        bytes: Array.from(text, (byte) => byte.charCodeAt(0)),
        prefixLength,
        rules,
      })),
    present: filed("present").flatMap(({ rules }) => rules),
  };
  const lists = [data.exact, data.prefix, data.suffix, data.cidr, data.present];
  return lists.some((list) => list.length > 0) ? data : undefined;
}

function ascending(a: Anchor, b: Anchor): number {
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function ascendingBackwards(a: Anchor, b: Anchor): number {
  return compareBackwards(a.text, b.text);
}
