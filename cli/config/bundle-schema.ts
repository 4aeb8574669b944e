import { bundleDefaults } from "./bundle-defaults.ts";
import { type ConfigSchema, flag, integer, object, text } from "./schema-parts.ts";
import { stalenessProperties } from "./staleness-keys.ts";

/** `policies.bundle`. */
export const bundleSchema: ConfigSchema = object(
  "Policies as a signed bundle, for where Git cannot be reached: a newer one is in force after the next poll or `garita sync`, one that is not signed by a trusted key changes nothing ([bundles.md](bundles.md)).",
  {
    url: text("Where the bundle is, `https://` alone. Redirects are not followed.", {
      examples: ["https://files.example.org/shop.bundle"],
    }),
    publicKeyFile: text(
      "The Ed25519 keys whose bundles are taken, SPKI in PEM, read at each attempt. Several stand one after the other.",
    ),
    folder: text("A folder of this machine (mode 0700) for the bundle that was last in force. Services may share it.", {
      examples: ["/var/lib/garita/policies"],
    }),
    name: text("The name that a bundle has to have (`garita build --name`). Unset: any, and none."),
    tokenFile: text("A file (mode 0600) with a token for the server, read at each attempt and sent as `Bearer`."),
    caFile: text("PEM: authorities of the server, besides those that Node trusts."),
    pollSeconds: integer(
      "The server is asked after so long, up to a tenth earlier or later; after failures twice as long each time, up to ten minutes.",
      1,
      86_400,
      bundleDefaults.pollSeconds,
    ),
    timeoutSeconds: integer(
      "A bundle has to be there after so long, to its last byte.",
      1,
      3600,
      bundleDefaults.timeoutSeconds,
    ),
    maxBytes: integer("Larger bundles are not taken.", 1024, 1024 ** 3, bundleDefaults.maxBytes),
    allowOlder: flag("Take a bundle that was built before the one in force."),
    ...stalenessProperties("when the bundle expires (`garita build --valid-for`), and never else"),
  },
  { required: ["url", "publicKeyFile", "folder"] },
);
