import type { SecureContext } from "node:tls";
import type { JwtConfig } from "#cli/config/model";

/** The configuration of tokens with what its files hold. */
export interface PreparedJwt {
  readonly config: JwtConfig;
  /** Whose certificates issuers may show; undefined: those that Node trusts. */
  readonly roots: SecureContext | undefined;
}

/**
 * Reads the files that issuers need. Fails with the coded error of the first that cannot be used. PERF: without such a file nothing is
 * loaded, for most services have no issuer.
 */
export async function prepareJwt(config: JwtConfig): Promise<PreparedJwt> {
  if (config.caFile === undefined) return { config, roots: undefined };
  const { loadTrustedRoots } = await import("#platform/fetch/trusted-roots");
  return { config, roots: await loadTrustedRoots(config.caFile) };
}
