import type { BundleSettings } from "#authz/rulesets/bundle/settings";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { bundleDefaults } from "./bundle-defaults.ts";
import { convertStaleness } from "./staleness-keys.ts";

/** What `policies.bundle` says, once the schema has passed it. */
export interface RawBundle {
  readonly url: string;
  readonly publicKeyFile: string;
  readonly folder: string;
  readonly name?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly pollSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly maxBytes?: number;
  readonly allowOlder?: boolean;
  readonly maxStaleSeconds?: number;
  readonly onStale?: StalenessSettings["reaction"];
}

export interface BundlePolicies {
  readonly settings: BundleSettings;
  /** Undefined: rules get too old by the expiry of a bundle alone, and nothing follows. */
  readonly staleness: StalenessSettings | undefined;
}

/** Fills in defaults and makes paths absolute with `file`. */
export function convertBundle(bundle: RawBundle, file: (path: string) => string): BundlePolicies {
  const optional = (path: string | undefined) => (path === undefined ? undefined : file(path));
  const { pollSeconds, timeoutSeconds, maxBytes, ...raw } = { ...bundleDefaults, ...bundle };
  return {
    settings: {
      url: raw.url,
      publicKeyFile: file(raw.publicKeyFile),
      folder: file(raw.folder),
      name: bundle.name,
      tokenFile: optional(bundle.tokenFile),
      caFile: optional(bundle.caFile),
      pollMillis: pollSeconds * 1000,
      timeoutMillis: timeoutSeconds * 1000,
      maxBytes,
      allowOlder: bundle.allowOlder ?? false,
    },
    staleness: convertStaleness(bundle),
  };
}
