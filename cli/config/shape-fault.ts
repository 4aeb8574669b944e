import type { ConfigCode } from "./codes.ts";
import type { Path } from "./located-yaml.ts";

/** A fault at a path. `at` tells whether its key or its value is meant. */
export interface ShapeFault {
  readonly code: ConfigCode;
  readonly path: Path;
  readonly at: "key" | "value";
  readonly message: string;
  readonly help?: string;
}

/** A fault of a value. */
export function fault(code: ConfigCode, path: Path, message: string, help?: string): ShapeFault {
  return { code, path, at: "value", message, ...(help === undefined ? {} : { help }) };
}

/** A fault of a key: it should not be there. */
export function onKey(code: ConfigCode, path: Path, message: string): ShapeFault {
  return { code, path, at: "key", message };
}
