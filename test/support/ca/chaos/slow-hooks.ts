import { wrapModules } from "./wrap-modules.ts";

/** Preloaded (`--import`) into the program: issuances can be held while they are under way. */
wrapModules({ "store/sqlite/open": "slow/open" });
