import { type ConfigSchema, flag, object, text } from "./schema-parts.ts";

/** The `revocations` section: the deny list of an authority elsewhere. */
export const revocationsSchema: ConfigSchema = object(
  "Where to learn which certificates and identities are revoked: from the certificate authority of another service. A service with `ca` has its own, without this section.",
  {
    trustDomain: text("The trust domain of the authority, whose deny list is followed and nobody else's.", {
      examples: ["example.org"],
    }),
    address: text("Where the authority's gRPC door is.", { examples: ["ca.example.org:15012"] }),
    serverName: text("The name that the authority's server certificate must have. Unset: the host of `address`."),
    bundleFile: text(
      "PEM: the roots of the trust domain, as `garita agent` writes them. This file and the two below may come later, and are read again when they change.",
    ),
    certificateFile: text("PEM: the certificate to show the authority, with its intermediates."),
    keyFile: text("PEM: its key."),
    stateFile: text(
      "Where the last good list is kept, for starts without the authority. Its folder must exist. It is verified when it is read.",
      { examples: ["/var/lib/garita/deny-list"] },
    ),
    required: flag(
      "Until there is a list, kept or new, the service is not ready, and refuses every peer that has a certificate, or may have one. Unset: a service that never had one starts, decides without, and warns.",
    ),
  },
  { required: ["trustDomain", "address", "bundleFile", "certificateFile", "keyFile", "stateFile"] },
);
