/**
 * Preloaded into a service under measurement (`node --import`): answers each message of its parent with the delays of its event loop since the one before, in milliseconds.
 * The service itself tells most of it at `/metrics`, to whoever scrapes it.
 */
import { createHistogram, monitorEventLoopDelay } from "node:perf_hooks";

const everyMillis = 10;
const delays = monitorEventLoopDelay({ resolution: everyMillis });
delays.enable();

/** Processor time of this thread from one turn that looks at timers to the next that is due: a delay in which other programs do not show. */
const busy = createHistogram();
const cpuMicros = () => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};
let lastMicros = cpuMicros();
setInterval(() => {
  const now = cpuMicros();
  busy.record(Math.max(1, Math.round(now - lastMicros)));
  lastMicros = now;
}, everyMillis).unref();

process.on("message", () => {
  process.send?.({
    p50Millis: delays.percentile(50) / 1e6,
    p99Millis: delays.percentile(99) / 1e6,
    longestMillis: delays.max / 1e6,
    busyP99Millis: busy.percentile(99) / 1e3,
    busyLongestMillis: busy.max / 1e3,
  });
  delays.reset();
  busy.reset();
});
// Nobody is left to end it.
process.on("disconnect", () => process.exit(1));
// And what is asked keeps it from nothing.
process.channel?.unref();
