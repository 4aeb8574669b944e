import { Environment } from "@marcbachmann/cel-js";
import { registerAddressFunctions } from "./addresses.ts";
import { attributeRoots, attributes } from "./attributes.ts";
import { limits } from "./limits.ts";
import { registerMatches } from "./matches.ts";
import { registerNumberFunctions } from "./number-functions.ts";
import { registerPathPatterns } from "./path-patterns.ts";
import { registerTextFunctions } from "./text-functions.ts";
import { registerTimeFunctions } from "./time-functions.ts";

/**
 * What stands for the words before the dots, such as `request`. The members of each are set for one evaluation and taken away after it. Nothing
 * is inherited, so that a polluted `Object.prototype` shows nothing.
 */
export type Members = { [member: string]: unknown };

/** The constructor is how the library knows the type of a value. */
const rootClasses: ReadonlyMap<string, new () => Members> = new Map(
  [...attributeRoots.keys()].map((name) => [name, bareClass()]),
);
const Activation = bareClass();

function bareClass(): new () => Members {
  const Bare = class {} as new () => Members;
  Object.setPrototypeOf(Bare.prototype, null);
  return Bare;
}

/** Room for the variables. PERF: all are set once in the same order, so that the objects of all expressions have one shape. */
export function createActivation(): Members {
  return withNames(new Activation(), [...attributeRoots.keys()]);
}

/** Room for the members of a root. */
export function createMembers(root: string): Members {
  const names = (attributeRoots.get(root) ?? []).map((row) => row.name.slice(root.length + 1));
  return withNames(new (rootClasses.get(root)!)(), names);
}

function withNames(members: Members, names: readonly string[]): Members {
  for (const name of names) members[name] = undefined;
  return members;
}

/** The library, with the attributes as its variables and our functions in place of its own. */
export const environment: Environment = createEnvironment();

function createEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: true,
    enableOptionalTypes: false,
    limits: { maxAstNodes: limits.nodes, maxDepth: limits.depth },
  });
  registerTextFunctions(made);
  registerNumberFunctions(made);
  registerTimeFunctions(made);
  registerAddressFunctions(made);
  registerPathPatterns(made);
  registerMatches(made);
  for (const [name, rows] of attributeRoots) {
    if (rows === undefined) continue;
    const fields = Object.fromEntries(rows.map((row) => [row.name.slice(name.length + 1), row.type]));
    made.registerType(`garita.${name}`, { ctor: rootClasses.get(name)!, fields });
    made.registerVariable(name, `garita.${name}`);
  }
  for (const { name, type } of attributes) if (!name.includes(".")) made.registerVariable(name, type);
  return made;
}
