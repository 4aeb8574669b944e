import { copyFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Issuer } from "#test/support/issuer/issuer";
import { startOidcProvider } from "#test/support/issuer/start-oidc-provider";
import { trialUser } from "./trials.ts";

/**
 * Starts an OpenID provider on a port of loopback, with new keys and a certificate of a new authority, whose own is written to a file. Fails with a
 * line for people.
 */
export async function startTrialIssuer(port: number, authorityFile: string): Promise<Issuer> {
  const issuer = await startOidcProvider({ port, clients: [trialUser] }).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code !== "EADDRINUSE") throw fault;
    throw new Error(`127.0.0.1:${port}, where the provider is to listen, is in use: end what listens there`);
  });
  await mkdir(dirname(authorityFile), { recursive: true });
  await copyFile(issuer.caFile, authorityFile);
  return issuer;
}
