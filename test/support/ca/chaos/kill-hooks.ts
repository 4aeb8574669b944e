import { ServerResponse } from "node:http";
import { registerHooks } from "node:module";
import { Duplex, type Writable } from "node:stream";
import { die, isArmed } from "./points.ts";

/**
 * Preloaded (`--import`) into the program: its store, its signing and its answers pass the points at which it can be made to die. The modules of the program are the real ones; what
 * imports one of these three gets it wrapped.
 */
const wrapped = new Map(
  ["store/sqlite/open", "store/sqlite/run-batch", "authorities/issuing-authority"].map((path) => [
    new URL(`../../../../ca/${path}.ts`, import.meta.url).href,
    new URL(`./killing/${path.split("/").at(-1)}.ts`, import.meta.url).href,
  ]),
);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const wrapper = wrapped.get(resolved.url);
    return wrapper === undefined || context.parentURL === wrapper ? resolved : { ...resolved, url: wrapper };
  },
});

/** An answer with a certificate in it goes out by half. */
function halve(prototype: Writable, isAnswer: (stream: Writable) => boolean): void {
  const end = prototype.end as (...args: unknown[]) => Writable;
  Reflect.set(prototype, "end", function halving(this: Writable, ...args: unknown[]) {
    const bytes = typeof args[0] === "string" ? Buffer.from(args[0]) : args[0];
    const holds = Buffer.isBuffer(bytes) && bytes.includes("BEGIN CERTIFICATE");
    if (holds && isAnswer(this) && isArmed("answer-half-written")) {
      return this.write(bytes.subarray(0, bytes.length / 2), () => setImmediate(die));
    }
    return end.apply(this, args);
  });
}

halve(ServerResponse.prototype, () => true);
halve(Duplex.prototype, (stream) => stream.constructor.name === "ServerHttp2Stream");
