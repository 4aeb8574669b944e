import type { IndexDimension, IndexKey, RuleIndex } from "#policy-compiler/ruleset/model";
import { listInSteps, type Steps } from "../steps.ts";
import { Malformed } from "./byte-reader.ts";
import { byteString, type Input, interned, list, type Output, record, type Shape, text, union } from "./shape.ts";
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
export function ruleIndexShape(rules: number): {
  write(out: Output, index: RuleIndex): void;
  readInSteps(input: Input): Steps<RuleIndex>;
} {
  const numbers = ascending(rules);
  const textRow = textRowShape(numbers);
  const cidrRow = cidrRowShape(numbers);
  const [textRows, cidrRows] = [list(textRow), list(cidrRow)];
  return {
    write(out, { always, dimensions }) {
      numbers.write(out, always);
      out.bytes.uint(dimensions.length);
      for (const { on, exact, prefix, suffix, cidr, present } of dimensions) {
        indexKeyShape.write(out, on);
        for (const rows of [exact, prefix, suffix]) textRows.write(out, rows);
        cidrRows.write(out, cidr);
        numbers.write(out, present);
      }
    },
    *readInSteps(input) {
      const rows = <T>(row: Shape<T>) => listInSteps(input.bytes.count(), () => row.read(input));
      const always = numbers.read(input);
      const dimensions = new Array<IndexDimension>(input.bytes.count());
      for (let i = 0; i < dimensions.length; i++) {
        const on = indexKeyShape.read(input);
        const exact = yield* rows(textRow);
        const prefix = yield* rows(textRow);
        const suffix = yield* rows(textRow);
        const cidr = yield* rows(cidrRow);
        dimensions[i] = { on, exact, prefix, suffix, cidr, present: numbers.read(input) };
        yield;
      }
      return { always, dimensions };
    },
  };
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
