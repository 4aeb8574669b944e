import type { Random } from "#test/support/random";

/** Types of generated expressions. `dyn`: a value of a token. */
type Type = "bool" | "string" | "int" | "texts" | "time" | "length" | "dyn";

const texts = ["", "a", "b", "GET", "admin", "users", "Ä", "\uff00", "a,b", "K", "7", "-3", "3.5", "x y"];

/**
 * A random expression that comes to bool, of what every implementation of CEL has. Left out is what `@bufbuild/cel` 0.6 does otherwise than
 * cel-spec says: `timestamp(int)` and `int(timestamp)` (in milliseconds), years before 100, `int("")`, two minus signs, places in text in
 * UTF-16 units, an empty text looked for behind the end, `split("", 2)`, `split` with a count that leaves
 * a rest (which it drops), and with counts that do not fit into 32 bits.
 */
export function generateExpression(random: Random): string {
  return new Generator(random).make("bool", 4, []);
}

class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  make(type: Type, depth: number, variables: readonly string[]): string {
    const make = (of: Type) => this.make(of, depth - 1, variables);
    const rows = depth <= 0 ? this.#leaves(type, variables) : this.#branches(type, depth, variables, make);
    return this.#random.pick(rows)();
  }

  #leaves(type: Type, variables: readonly string[]): readonly (() => string)[] {
    const { pick, below } = {
      pick: <T>(of: readonly T[]) => this.#random.pick(of),
      below: (n: number) => this.#random.below(n),
    };
    switch (type) {
      case "bool":
        return [
          () => pick(["true", "false", "connection.tls", "has(request.size)", "has(claims.sub)", "has(claims.org.id)"]),
        ];
      case "string": {
        const variable = () => pick(variables);
        const leaf = () =>
          pick([
            "request.method",
            "request.host",
            "request.path",
            'request.headers["x-a"]',
            'request.headers["x-b"]',
            "source.principal",
            'workload.labels["app"]',
          ]);
        const literal = () => JSON.stringify(pick(texts));
        return variables.length > 0 ? [variable, leaf, literal] : [leaf, literal];
      }
      case "int":
        return [
          () =>
            pick([
              "request.size",
              "destination.port",
              "0",
              "1",
              "-1",
              "2",
              "7",
              "9223372036854775807",
              "-9223372036854775808",
            ]),
          () => String(below(20)),
        ];
      case "texts":
        return [
          () =>
            pick([
              'request.headerLines["x-a"]',
              "request.pathSegments",
              '["a", "b"]',
              '["admin"]',
              '["a", "a", "users"]',
            ]),
        ];
      case "time":
        return [
          () =>
            pick([
              "now",
              'timestamp("2026-01-05T09:30:00Z")',
              'timestamp("2024-02-29T23:59:59.5+01:00")',
              'timestamp("1969-12-31T00:00:00Z")',
              "timestamp(0)",
            ]),
        ];
      case "length":
        return [
          () =>
            pick([
              'duration("1h")',
              'duration("-90m")',
              'duration("1.5s")',
              'duration("-1.5s")',
              'duration("2h0.25s")',
              'duration("0")',
              'duration("24h0m1ms")',
            ]),
        ];
      case "dyn":
        return [
          () =>
            pick([
              "claims.sub",
              "claims.level",
              "claims.groups",
              "claims.org.id",
              "claims.org",
              "claims.mixed[0]",
              "claims.mixed[1]",
              "claims.nothing",
              "claims.missing",
              "tokens[0].sub",
              "tokens[1].sub",
              "claims.flag",
            ]),
        ];
    }
  }

  #branches(
    type: Type,
    depth: number,
    variables: readonly string[],
    make: (of: Type) => string,
  ): readonly (() => string)[] {
    const { pick } = { pick: <T>(of: readonly T[]) => this.#random.pick(of) };
    const leaf = this.#leaves(type, variables);
    const choice = () => `(${make("bool")} ? ${make(type)} : ${make(type)})`;
    switch (type) {
      case "bool":
        return [
          ...leaf,
          choice,
          () => `(${make("bool")} && ${make("bool")})`,
          () => `(${make("bool")} || ${make("bool")})`,
          () => `(${make("bool")} ${pick(["==", "!="])} ${make("bool")})`,
          () => `!(${make("bool")})`,
          () => `${make("string")} ${pick(["==", "!=", "<", ">=", "<=", ">"])} ${make("string")}`,
          () => `${make("int")} ${pick(["==", "!=", "<", ">=", "<=", ">"])} ${make("int")}`,
          () => `${make("time")} ${pick(["==", "!=", "<", ">="])} ${make("time")}`,
          () => `${make("length")} ${pick(["==", "<", ">="])} ${make("length")}`,
          () => `${make("dyn")} ${pick(["==", "!="])} ${make(pick(["string", "int", "bool", "dyn", "texts"]))}`,
          () => `${make("dyn")} ${pick(["<", ">", ">=", "<="])} ${make(pick(["string", "int"]))}`,
          () => `${make("texts")} ${pick(["==", "!="])} ${make("texts")}`,
          () => `${make("string")} in ${make("texts")}`,
          () =>
            `${make(pick(["string", "dyn"]))} in ${pick(["claims.groups", "claims.mixed", "claims.org", "claims"])}`,
          () => `${make("string")} in ${pick(["claims", "request.headers", "workload.labels"])}`,
          () => `${make("string")}.${pick(["startsWith", "endsWith", "contains"])}(${make("string")})`,
          () =>
            `${make("string")}.matches(${JSON.stringify(pick(["^a", "[a-z]+$", "(?i)get", "^\\d*$", "\\x{1f600}", "", "a|b"]))})`,
          () => this.#loop("bool", depth, variables),
          () => `${make("dyn")} == null`,
          () => `bool(${make("string")})`,
        ];
      case "string":
        return [
          ...leaf,
          choice,
          () => `(${make("string")} + ${make("string")})`,
          () => `${make("string")}.${pick(["lowerAscii", "upperAscii", "trim"])}()`,
          () => `${make("string")}.substring(${this.#random.below(3)})`,
          () => `${make("string")}.substring(${this.#random.below(2)}, ${this.#random.below(4)})`,
          () => `string(${make(pick(["int", "string", "bool"]))})`,
          () => `${make("texts")}[${this.#random.below(3)}]`,
          () => `${make("texts")}.join(${make("string")})`,
          () => `string(${make("dyn")})`,
        ];
      case "int":
        return [
          ...leaf,
          choice,
          () => `(${make("int")} ${pick(["+", "-", "*", "/", "%"])} ${make("int")})`,
          () => `(0 - ${make("int")})`,
          () => `size(${make(pick(["string", "texts"]))})`,
          () => `${make("texts")}.size()`,
          () => `int("${pick(["0", "12", "-7", "9223372036854775807"])}")`,
          () => `int(${pick(["claims.level", "claims.mixed[0]", "claims.sub"])})`,
          () => `${make("string")}.${pick(["indexOf", "lastIndexOf"])}(${make("string")})`,
          () => `${make("string")}.indexOf("${pick(["a", "x", "ab"])}", ${this.#random.below(3)})`,
          () =>
            `${make("time")}.${pick(["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"])}()`,
          () => `${make("length")}.${pick(["getHours", "getMinutes", "getSeconds", "getMilliseconds"])}()`,
        ];
      case "texts":
        return [
          ...leaf,
          choice,
          () => `(${make("texts")} + ${make("texts")})`,
          () => `${make("string")}.split(${make("string")})`,
          () => `${make("string")}.split("${pick([",", "a", "x"])}", ${pick([0, 1, 100])})`,
          () => this.#loop("texts", depth, variables),
          () => `[${make("string")}, ${make("string")}]`,
        ];
      case "time":
        return [...leaf, choice, () => `(${make("time")} ${pick(["+", "-"])} ${make("length")})`];
      case "length":
        return [
          ...leaf,
          choice,
          () => `(${make("length")} ${pick(["+", "-"])} ${make("length")})`,
          () => `(${make("time")} - ${make("time")})`,
        ];
      case "dyn":
        return [
          ...leaf,
          () => `claims[${make("string")}]`,
          () => `claims.mixed[${make("int")}]`,
          () => `claims.org[${make("string")}]`,
        ];
    }
  }

  #loop(type: "bool" | "texts", depth: number, variables: readonly string[]): string {
    if (variables.length >= 2) return type === "bool" ? "true" : '["a"]';
    const variable = `v${variables.length}`;
    const list = this.#random.pick([this.make("texts", depth - 1, variables), "claims.groups", "claims.org"]);
    const body = (of: Type) => this.make(of, depth - 2, [...variables, variable]);
    if (type === "texts") {
      const kept = this.make("texts", depth - 1, variables);
      return this.#random.pick([
        () => `${kept}.map(${variable}, ${body("string")})`,
        () => `${kept}.filter(${variable}, ${body("bool")})`,
        () => `${kept}.map(${variable}, ${body("bool")}, ${body("string")})`,
      ])();
    }
    return `${list}.${this.#random.pick(["exists", "all", "exists_one"])}(${variable}, ${body("bool")})`;
  }
}
