import { ServerResponse } from "node:http";
import { Duplex, type Writable } from "node:stream";
import { die, isArmed } from "./points.ts";
import { wrapModules } from "./wrap-modules.ts";

/** Preloaded (`--import`) into the program: its store, its signing and its answers pass the points at which it can be made to die. */
wrapModules({
  "store/sqlite/open": "killing/open",
  "store/sqlite/run-batch": "killing/run-batch",
  "authorities/issuing-authority": "killing/issuing-authority",
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
