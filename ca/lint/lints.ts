import type { Lint } from "./contract.ts";

/** Every lint, in the order in which findings are told. */
export const lints: readonly Lint[] = [];
