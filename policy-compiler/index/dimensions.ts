import { compareBackwards } from "#policy-compiler/ruleset/compare-backwards";
import type { ByteString, IndexDimension, IndexKey } from "#policy-compiler/ruleset/model";

/** A place where rules can be filed: one value of one dimension, with what is known of how common it is. */
export interface Anchor {
  readonly dimension: Dimension;
  readonly op: "exact" | "prefix" | "suffix" | "cidr" | "present";
  /** The bytes as characters for `cidr`, empty for `present`. */
  readonly text: ByteString;
  /** `cidr` only. */
  readonly prefixLength: number;
  /** In how many rules a field asks for this value. */
  uses: number;
  /** An estimate of how many rules a request that has this value will find here. */
  cost: number;
  readonly rules: number[];
}

/** One dimension while it is built. Anchors are interned. */
export class Dimension {
  readonly on: IndexKey;
  readonly #anchors = new Map<string, Anchor>();

  constructor(on: IndexKey) {
    this.on = on;
  }

  get anchors(): Iterable<Anchor> {
    return this.#anchors.values();
  }

  exact(text: ByteString): Anchor {
    return this.#anchor("exact", text, 0);
  }

  prefix(text: ByteString): Anchor {
    return this.#anchor("prefix", text, 0);
  }

  suffix(text: ByteString): Anchor {
    return this.#anchor("suffix", text, 0);
  }

  present(): Anchor {
    return this.#anchor("present", "", 0);
  }

  cidr(bytes: readonly number[], prefixLength: number): Anchor {
    return this.#anchor("cidr", String.fromCharCode(...bytes), prefixLength);
  }

  #anchor(op: Anchor["op"], text: ByteString, prefixLength: number): Anchor {
    const key = op === "cidr" ? `cidr ${prefixLength} ${text}` : `${op} ${text}`;
    let anchor = this.#anchors.get(key);
    if (anchor === undefined) {
      anchor = { dimension: this, op, text, prefixLength, uses: 0, cost: 0, rules: [] };
      this.#anchors.set(key, anchor);
    }
    return anchor;
  }
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
  switch (key.kind) {
    case "workloadLabel":
      return JSON.stringify([key.kind, key.key]);
    case "attribute": {
      const attribute = key.attribute;
      switch (attribute.kind) {
        case "header":
          return JSON.stringify(["attribute", "header", attribute.name]);
        case "claim":
          return JSON.stringify(["attribute", "claim", ...attribute.path]);
        case "metadata":
          return JSON.stringify(["attribute", "metadata", attribute.namespace, attribute.key]);
        default:
          return JSON.stringify(["attribute", attribute.kind]);
      }
    }
    default:
      return JSON.stringify([key.kind]);
  }
}

function toData(dimension: Dimension): IndexDimension | undefined {
  const filed = [...dimension.anchors].filter((anchor) => anchor.rules.length > 0);
  if (filed.length === 0) return undefined;
  const of = (op: Anchor["op"]) => filed.filter((anchor) => anchor.op === op);
  const pair = ({ text, rules }: Anchor): readonly [ByteString, readonly number[]] => [text, rules];
  return {
    on: dimension.on,
    exact: of("exact").sort(ascending).map(pair),
    prefix: of("prefix").sort(ascending).map(pair),
    suffix: of("suffix").sort(ascendingBackwards).map(pair),
    cidr: of("cidr")
      .sort((a, b) => a.text.length - b.text.length || ascending(a, b) || a.prefixLength - b.prefixLength)
      .map(({ text, prefixLength, rules }) => ({
        bytes: Array.from(text, (byte) => byte.charCodeAt(0)),
        prefixLength,
        rules,
      })),
    present: of("present").flatMap(({ rules }) => rules),
  };
}

function ascending(a: Anchor, b: Anchor): number {
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function ascendingBackwards(a: Anchor, b: Anchor): number {
  return compareBackwards(a.text, b.text);
}
