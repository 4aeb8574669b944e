/** What a source of signed policy bundles is told. Paths of the file system are absolute. */
export interface BundleSettings {
  /** `https://`, without credentials. */
  readonly url: string;
  /** SPKI PEM of the Ed25519 keys whose bundles are taken. */
  readonly publicKeyFile: string;
  /** Holds the bundle that was last in force. Several services may share it. */
  readonly folder: string;
  /** The name that a bundle has to have; undefined: any. */
  readonly name: string | undefined;
  /** A file with a token for the server. */
  readonly tokenFile: string | undefined;
  /** PEM: authorities of the server, besides those that Node trusts. */
  readonly caFile: string | undefined;
  readonly pollMillis: number;
  /** One attempt's fetch ends after so long. */
  readonly timeoutMillis: number;
  /** Larger bundles are not taken. */
  readonly maxBytes: number;
  /** Take a bundle that was built before the one in force. */
  readonly allowOlder: boolean;
}

/** What is wrong with the address of a bundle; undefined: nothing. It does not repeat the address: that may hold a password. */
export function bundleUrlFault(url: string): string | undefined {
  const parsed = /^https:\/\/[^/\\\s]/i.test(url) && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return "expected `https://` with a host";
  if (parsed.username !== "" || parsed.password !== "") return "credentials belong into `tokenFile`";
  return parsed.hash === "" ? undefined : "an address to fetch from has no `#`";
}
