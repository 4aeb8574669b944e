import type { JwtConfig } from "../config/model.ts";
import type { PreparedFetching } from "./issuer-keys.ts";

/** The configuration of tokens with what its files hold. */
export interface PreparedJwt {
  readonly config: JwtConfig;
  /** Undefined: it names no file, and nothing has been fetched yet; then it is made when the first issuer needs it. */
  readonly fetching: PreparedFetching | undefined;
}

/**
 * Reads the files that issuers need. Fails with the coded error of the first that cannot be used. PERF: without such a file, and where nothing
 * is fetched (`fetches`), nothing is loaded, for most services have no issuer.
 */
export async function prepareJwt(
  config: JwtConfig,
  environment: Readonly<Record<string, string | undefined>>,
  fetches: boolean,
): Promise<PreparedJwt> {
  if (config.caFile === undefined && !fetches) return { config, fetching: undefined };
  const { prepareFetching } = await import("./issuer-keys.ts");
  return { config, fetching: await prepareFetching(config, environment) };
}
