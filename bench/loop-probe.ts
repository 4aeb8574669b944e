/**
 * Preloaded into a service under measurement (`node --import`): answers each message of its parent with the delays of its event loop since the one before, in milliseconds.
 * The service itself tells the same at `/metrics`, to whoever scrapes it.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";

const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();
process.on("message", () => {
  const [p50, p99, longest] = [delays.percentile(50), delays.percentile(99), delays.max].map((nanos) => nanos / 1e6);
  delays.reset();
  process.send?.({ p50, p99, longest });
});
// The service ends when it wants to, not when its parent hangs up.
process.channel?.unref();
