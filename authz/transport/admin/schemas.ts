import { longestPinSeconds } from "#authz/rulesets/build";

/** JSON Schemas of the admin API's answers and questions: what is served, checked and written into the OpenAPI page. */

const text = { type: "string" } as const;
const count = { type: "integer", minimum: 0 } as const;
const time = { type: "integer", description: "Milliseconds since the epoch." } as const;
const texts = { type: "array", items: text } as const;

const position = {
  type: "object",
  properties: { line: count, column: count },
  required: ["line", "column"],
} as const;

const diagnostics = {
  type: "array",
  items: {
    type: "object",
    properties: {
      code: text,
      severity: { enum: ["error", "warning", "note"] },
      message: text,
      file: text,
      start: position,
      end: position,
      help: text,
    },
    required: ["code", "severity", "message", "file", "start", "end"],
  },
} as const;

const revision = {
  type: "object",
  description: "The commit, where the policies live in Git; of a bundle, its revision.",
  properties: {
    commit: text,
    subject: text,
    author: text,
    signer: { type: "string", description: "Whose signature was found good, where one is demanded." },
    builtMillis: { ...time, description: "A bundle was built. Milliseconds since the epoch." },
    expiresMillis: { ...time, description: "A bundle is too old from then on. Milliseconds since the epoch." },
  },
} as const;

const active = {
  type: "object",
  description: "The rule set in force.",
  properties: {
    digest: { type: "string", description: "SHA-256 of the encoded rule set, in hexadecimal." },
    revision,
    sinceMillis: time,
    files: count,
    sizeBytes: count,
    counts: {
      type: "object",
      properties: {
        policies: count,
        rules: count,
        policiesByAction: { type: "object", additionalProperties: count },
        peerAuthentications: count,
        requestAuthentications: count,
        workloads: count,
        services: count,
        providers: count,
        registrations: count,
      },
    },
    diagnostics,
    tests: {
      type: "object",
      description: "Of the policy tests that came with it, where they were run.",
      properties: { run: count, failed: count },
    },
  },
} as const;

const candidate = {
  type: "object",
  description: "The newest attempt, when it did not come into force.",
  properties: { atMillis: time, code: text, message: text, revision, diagnostics },
} as const;

const rules = {
  type: "object",
  properties: {
    source: text,
    ready: { type: "boolean", description: "A rule set is in force, and not too old where that is demanded." },
    current: { type: "boolean", description: "It is of the newest state of the source, and not too old." },
    degraded: { type: "object", properties: { code: text, reason: text, sinceMillis: time } },
    pinned: {
      type: "object",
      description: "An operator has pinned the commit in force.",
      properties: { commit: text, sinceMillis: time, untilMillis: time },
    },
    active,
    candidate,
    lastAttemptMillis: time,
    lastSuccessMillis: { ...time, description: "It was last found to be the newest. Milliseconds since the epoch." },
    nextAttemptMillis: time,
    staleSinceMillis: { ...time, description: "It is older than is allowed since. Milliseconds since the epoch." },
    staleReason: text,
    warnings: texts,
  },
  required: ["source", "ready", "current"],
} as const;

const issuer = {
  type: "object",
  description: "Where the keys of an issuer's tokens come from.",
  properties: {
    name: { type: "string", description: "The URI of the keys, or the issuer; an inline set is named by its rule." },
    kind: { enum: ["inline", "uri", "discovery"] },
    state: {
      enum: ["keys", "unfetched", "unusable"],
      description: "`unfetched`: no document came yet. `unusable`: one came, and no key in it can be used.",
    },
    keys: {
      type: "array",
      description: "The usable keys, without the keys themselves.",
      items: { type: "object", properties: { kty: text, kid: text, alg: text } },
    },
    fetchedMillis: {
      ...time,
      description: "The document in use came, or was found unchanged. Milliseconds since the epoch.",
    },
    attemptedMillis: time,
    nextMillis: time,
    fault: {
      type: "object",
      description: "Why the newest attempt failed.",
      properties: { code: text, message: text, atMillis: time },
    },
  },
  required: ["name", "kind", "state", "keys"],
} as const;

const provider = {
  type: "object",
  description: "An extension provider that CUSTOM rules ask.",
  properties: {
    name: text,
    target: { type: "string", description: "Its service, and where that is." },
    lastFault: {
      type: "object",
      description: "The newest question that got no answer that counts; it stays when later ones are answered.",
      properties: { message: text, atMillis: time },
    },
    failing: { type: "boolean", description: "The newest question that could be put to it was not answered." },
    failOpen: { type: "boolean", description: "While it fails, requests go on without it." },
  },
  required: ["name", "target", "failing", "failOpen"],
} as const;

const listFault = { type: "object", properties: { code: text, message: text, atMillis: time } } as const;

const revocations = {
  type: "object",
  description: "The deny list that decisions are made with.",
  properties: {
    source: { enum: ["own", "remote"], description: "`own`: of the authority in this service." },
    ready: { type: "boolean", description: "There is a list, or none is required." },
    trustDomain: text,
    list: {
      type: "object",
      description: "Left out: there was never one.",
      properties: {
        sequence: count,
        ageSeconds: { ...count, description: "Since it was signed." },
        certificates: count,
        identities: count,
        from: {
          enum: ["own", "authority", "disk"],
          description: "`disk`: kept from before, and the authority has not sent one since the start.",
        },
      },
    },
    connected: { type: "boolean" },
    sinceMillis: { ...time, description: "Since when it is connected, or is not." },
    reason: { type: "string", description: "Why it is not connected." },
    refused: { ...listFault, description: "What was refused last, until a list is taken." },
    refusals: count,
    unkept: { ...listFault, description: "Why the list in force is not on the disk." },
  },
  required: ["source", "ready"],
} as const;

const status = {
  type: "object",
  properties: {
    version: text,
    node: text,
    startedMillis: time,
    ending: { type: "boolean" },
    rules,
    listeners: {
      type: "array",
      items: {
        type: "object",
        properties: {
          name: text,
          protocol: text,
          address: text,
          tls: { type: "boolean" },
          certificateNotAfterMillis: time,
        },
      },
    },
    issuers: { type: "array", items: issuer },
    providers: { type: "array", items: provider },
    authority: {
      type: "object",
      description: "The certificate authority; `garita ca status` tells more.",
      additionalProperties: true,
    },
    revocations,
    configuration: {
      type: "object",
      properties: {
        file: text,
        loadedMillis: time,
        fault: { type: "object", properties: { atMillis: time, messages: texts } },
      },
    },
    droppedLogLines: count,
    warnings: texts,
  },
} as const;

const fault = {
  type: "object",
  properties: {
    error: { type: "object", properties: { code: text, message: text }, required: ["code", "message"] },
  },
  required: ["error"],
} as const;

const probe = { type: "object", properties: { status: text }, required: ["status"] } as const;

const reload = {
  type: "object",
  properties: { ok: { type: "boolean" }, messages: texts },
  required: ["ok", "messages"],
} as const;

function described(properties: Readonly<Record<string, object>>, description: string) {
  return { type: "object", description, properties, additionalProperties: false } as const;
}

const flag = { type: "boolean" } as const;

/** A request or connection as a person writes it down; everything may be left out. */
const description = described(
  {
    workload: described(
      {
        workload: text,
        namespace: text,
        labels: { type: "object", additionalProperties: text },
        kind: { enum: ["sidecar", "gateway", "k8s-gateway", "waypoint"] },
        gateway: text,
        service: text,
        address: text,
        port: { type: "integer", minimum: 0, maximum: 65535 },
      },
      "The workload that is asked about, and where the request arrived.",
    ),
    providers: { type: "object", additionalProperties: { enum: ["allow", "deny"] } },
    caller: described(
      {
        principal: text,
        dnsName: text,
        subject: text,
        fingerprint: text,
        tls: flag,
        sni: text,
        claims: { type: "object" },
        address: text,
        remoteAddress: text,
      },
      "Who asks: the names of its certificate, and its addresses.",
    ),
    request: described(
      {
        method: text,
        host: text,
        path: text,
        headers: { ...texts, description: "Lines `name: value`, in order, duplicates kept." },
        protocol: { enum: ["HTTP/1.1", "HTTP/2"] },
      },
      "The request. Left out, with `tcp` false: GET /.",
    ),
    tcp: flag,
  },
  "A request, or with `tcp` a connection.",
);

const sync = {
  type: "object",
  properties: {
    ok: { type: "boolean", description: "The newest state of the source is in force." },
    result: { enum: ["activated", "unchanged", "refused"] },
    digest: text,
    commit: text,
    subject: text,
    author: text,
    signer: text,
    pinnedUntilMillis: { ...time, description: "The commit is pinned until then. Milliseconds since the epoch." },
    builtMillis: time,
    expiresMillis: time,
    code: { type: "string", description: "Of the fault, where it is one." },
    message: { type: "string", description: "Why the newest state is not in force." },
    refused: revision,
  },
  required: ["ok", "result"],
} as const;

export const adminSchemas = {
  healthz: { summary: "Is the program alive?", response: { 200: probe } },
  readyz: {
    summary: "Is a rule set in force, not too old, a deny list where one is required, and is the end not near?",
    response: { 200: probe, 503: probe },
  },
  metrics: { summary: "Metrics in the Prometheus text format.", produces: ["text/plain"] },
  status: { summary: "Rules, listeners and configuration, with what is wrong.", response: { 200: status } },
  rulesets: { summary: "The rule set in force and the refused candidate.", response: { 200: rules } },
  explain: {
    summary: "How a described request would be decided now, and why.",
    body: description,
    response: { 200: { type: "object", additionalProperties: true }, 400: fault, 503: fault },
  },
  reload: {
    summary: "Reads configuration, certificates and policies again, and has the keys of issuers fetched anew.",
    response: { 200: reload, 422: reload },
  },
  sync: {
    summary: "Asks the source of the policies now, and puts in force what is new.",
    response: { 200: sync, 422: sync },
  },
  pin: {
    summary: "Puts a commit of the repository's history in force, and keeps it there until the time is over.",
    body: {
      type: "object",
      properties: {
        commit: { type: "string", pattern: "^[0-9a-f]{7,64}$" },
        forSeconds: { type: "integer", minimum: 1, maximum: longestPinSeconds },
      },
      required: ["commit", "forSeconds"],
      additionalProperties: false,
    },
    response: { 200: sync, 422: sync },
  },
  unpin: {
    summary: "Ends a pin, and puts in force what is newest.",
    response: { 200: sync, 422: sync },
  },
} as const;
