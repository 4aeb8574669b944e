import { type ConfigSchema, flag, integer, object, text } from "../config/schema-parts.ts";

const labels: ConfigSchema = {
  type: "object",
  description: "Labels of the workload.",
  additionalProperties: { type: "string", description: "Value of the label." },
};

export const workloadSchema = object("The workload that is asked about, and where the request arrived.", {
  workload: text("Name of a WorkloadEntry."),
  namespace: text("Namespace of the workload."),
  labels,
  kind: text("What asks.", { enum: ["sidecar", "gateway", "k8s-gateway", "waypoint"] }),
  gateway: text("Name of its Gateway."),
  service: text("A waypoint's target, `namespace/name`."),
  address: text("Local address of the connection."),
  port: integer("Local port of the connection.", 0, 65535, 8080),
});

export const callerSchema = object("Who asks: the names of its certificate, and its addresses.", {
  principal: text("SPIFFE ID, with or without `spiffe://`."),
  dnsName: text("DNS name in the certificate."),
  subject: text("Subject of the certificate, as Envoy prints it."),
  fingerprint: text("SHA-256 of the certificate, hexadecimal, lower case: what the deny list names certificates by.", {
    pattern: "^[0-9a-f]{64}$",
  }),
  tls: flag("Does the caller speak TLS?"),
  sni: text("Server name that the caller sends."),
  claims: {
    type: "object",
    description:
      "Claims of a token that the caller shows, taken for signed by the issuer that `iss` names. It stands where `<token>` stands in header lines and path, else in `authorization` as a bearer token.",
  },
  address: text("Physical peer."),
  remoteAddress: text("Client behind trusted proxies, as Envoy computed it."),
});

export const httpProperties = {
  method: text("HTTP method."),
  host: text("Authority."),
  path: text("Request target with query."),
  headers: {
    type: "array",
    description: "Lines `name: value`, in order, duplicates kept.",
    items: text("One line."),
  },
  protocol: text("HTTP version.", { enum: ["HTTP/1.1", "HTTP/2"] }),
} satisfies Readonly<Record<string, ConfigSchema>>;

export const providersSchema: ConfigSchema = {
  type: "object",
  description: "What extension providers answer, by name: `allow` or `deny`. One that is not described fails.",
  additionalProperties: text("Its answer.", { enum: ["allow", "deny"] }),
};

/** A request file of `garita eval` and `garita explain`. */
export const requestSchema = object("A request, or with `tcp` a connection.", {
  workload: workloadSchema,
  caller: callerSchema,
  request: object("The request. Left out, with `tcp` false: GET /.", httpProperties),
  tcp: flag("A connection instead of a request."),
  providers: providersSchema,
});
