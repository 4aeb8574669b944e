import { object, text } from "./schema-parts.ts";

/** TLS of a listener. */
export const tlsSchema = object(
  "TLS for this listener. The files are read again when they change and on SIGHUP.",
  {
    certificateFile: text("PEM: the server's certificate, then its intermediates."),
    keyFile: text("PEM: the private key of the certificate."),
    clientCaFile: text(
      "PEM: authorities of client certificates. When given, every client must present a certificate of theirs (mutual TLS).",
    ),
    allowedClients: {
      type: "array",
      description:
        "URI or DNS names, one of which a client's certificate must carry, compared exactly. Without the list every client of `clientCaFile` is let in.",
      items: text("A URI or DNS name.", { examples: ["spiffe://example.org/ns/edge/sa/envoy"] }),
      minItems: 1,
    },
  },
  { required: ["certificateFile", "keyFile"] },
);
