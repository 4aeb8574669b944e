import { createLog } from "#platform/log";

/** A log that nobody reads. */
export const silentLog = createLog({ level: "silent" }).log;
