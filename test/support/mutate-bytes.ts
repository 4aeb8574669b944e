import type { Random } from "./random.ts";

/** Some bytes changed, cut out, doubled or put in. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const list = [...bytes];
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(list.length + 1);
    const kind = random.below(4);
    if (kind === 0) list[at] = random.below(256);
    else if (kind === 1) list.splice(at, random.below(8));
    else if (kind === 2) list.splice(at, 0, ...list.slice(at, at + random.below(30)));
    else list.splice(at, 0, ...Array.from({ length: random.below(5) }, () => random.below(256)));
  }
  return Uint8Array.from(list, (byte) => byte ?? 0);
}
