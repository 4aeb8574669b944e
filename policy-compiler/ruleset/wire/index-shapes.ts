import type { IndexDimension, IndexKey, RuleIndex } from "#policy-compiler/ruleset/model";
import { Malformed } from "./byte-reader.ts";
import { byteString, interned, list, record, type Shape, text, union } from "./shape.ts";
import { cidrShape } from "./test-shapes.ts";

/** Ascending numbers below a limit, each as its distance from the one before. */
function ascending(limit: number): Shape<readonly number[]> {
  return {
    write(out, numbers) {
      out.bytes.uint(numbers.length);
      let next = 0;
      for (const number of numbers) {
        out.bytes.uint(number - next);
        next = number + 1;
      }
    },
    read(input) {
      const numbers = new Array<number>(input.bytes.count());
      let next = 0;
      for (let i = 0; i < numbers.length; i++) {
        const number = next + input.bytes.uint();
        if (number >= limit) throw new Malformed("a rule is out of range");
        numbers[i] = number;
        next = number + 1;
      }
      return numbers;
    },
  };
}

const nothing = record<Record<never, never>>({});

const indexKeyShape: Shape<IndexKey> = union<IndexKey, "kind">("kind", {
  attribute: record({ attribute: interned("attributes") }),
  identityNamespace: nothing,
  identityServiceAccount: nothing,
  identityTrustDomain: nothing,
  workloadNamespace: nothing,
  workloadLabel: record({ key: text }),
});

/** `rules`: the number of rules, below which every number of the index lies. */
export function ruleIndexShape(rules: number): Shape<RuleIndex> {
  const numbers = ascending(rules);
  const byText = list(textRowShape(numbers));
  const dimension: Shape<IndexDimension> = record<IndexDimension>({
    on: indexKeyShape,
    exact: byText,
    prefix: byText,
    suffix: byText,
    cidr: list(cidrRowShape(numbers)),
    present: numbers,
  });
  return record<RuleIndex>({ always: numbers, dimensions: list(dimension) });
}

function textRowShape(numbers: Shape<readonly number[]>): Shape<readonly [string, readonly number[]]> {
  return {
    write(out, [key, rules]) {
      byteString.write(out, key);
      numbers.write(out, rules);
    },
    read: (input) => [byteString.read(input), numbers.read(input)],
  };
}

function cidrRowShape(numbers: Shape<readonly number[]>): Shape<IndexDimension["cidr"][number]> {
  return {
    write(out, row) {
      cidrShape.write(out, row);
      numbers.write(out, row.rules);
    },
    read(input) {
      const { bytes, prefixLength } = cidrShape.read(input);
      return { bytes, prefixLength, rules: numbers.read(input) };
    },
  };
}
