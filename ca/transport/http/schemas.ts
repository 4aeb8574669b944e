/** JSON Schemas of the JSON door: what is checked, served, and written into the OpenAPI page. The types are those of `shapes.ts`. */

type Schema = Readonly<Record<string, unknown>>;

export function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

export function list(items: Schema): Schema {
  return { type: "array", items };
}

export const text = { type: "string" } as const;
export const texts = list(text);
const flag = { type: "boolean" } as const;
export const count = { type: "integer", minimum: 0 } as const;
export const time = { type: "string", description: "ISO 8601, UTC." } as const;
const pem = { type: "string", description: "PEM." } as const;

const serial = { type: "string", pattern: "^[0-9a-f]{1,64}$", description: "Hexadecimal, lower case." } as const;
const fingerprint = {
  type: "string",
  pattern: "^[0-9a-f]{64}$",
  description: "SHA-256 of the certificate, hexadecimal, lower case.",
} as const;
export const spiffeId = { type: "string", minLength: 1, maxLength: 2048 } as const;
const csr = { type: "string", description: "A certificate request, PEM." } as const;
const ttlSeconds = {
  type: "integer",
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "0 or absent: the default.",
} as const;
/** One line: it stands in lists and logs. */
export const reason = {
  type: "string",
  minLength: 1,
  maxLength: 500,
  pattern: "^[^\\u0000-\\u001f\\u007f]*$",
} as const;

/** Queries are texts. */
const limit = {
  type: "string",
  pattern: "^(?:[1-9][0-9]{0,2}|1000)$",
  description: "1 to 1000; absent: 100.",
} as const;
const yesNo = { enum: ["true", "false"] } as const;

const fault = object({ code: text, message: text }, { id: { ...text, description: "Names the explanation." } });
export const faults = { "4xx": fault, "5xx": fault } as const;

const authority = object(
  {
    role: { enum: ["root", "issuing"] },
    keyId: text,
    keyKind: text,
    state: text,
    subject: text,
    notBefore: time,
    notAfter: time,
    keyHeld: flag,
  },
  { slot: { enum: ["A", "B"] } },
);

const revocation = object({ at: time, by: text, reason: text }, { serial: text, fingerprint: text, spiffeId: text });

const certificate = object(
  {
    serial: text,
    spiffeId: text,
    state: text,
    notBefore: time,
    notAfter: time,
    dnsNames: texts,
    keyKind: text,
    spkiHash: text,
    issuerKeyId: text,
    requestId: text,
    requestedAt: time,
    csrHash: text,
    method: text,
    caller: text,
    evidence: text,
    nameMismatch: texts,
  },
  { registration: text, fingerprint: text, revoked: revocation, certificate: pem },
);

const steps = list(object({ step: text, ok: flag, seen: text, wanted: text, remedy: text }));

const streamName = object(
  { name: text },
  {
    sent: text,
    acknowledged: text,
    acknowledgedAt: time,
    rejected: object({ version: text, message: text, at: time }),
  },
);

const stream = object(
  {
    id: count,
    typeUrl: text,
    variant: { enum: ["state-of-the-world", "delta"] },
    spiffeId: text,
    node: { ...text, description: "As the client gave it: not believed." },
    since: time,
    names: list(streamName),
    leftOut: { ...count, description: "So many names are not listed." },
  },
  { fingerprint: text },
);

const status = object(
  {
    trustDomain: text,
    authorities: list(authority),
    bundle: object({ sequence: count, anchors: count, version: text }),
    rotation: object({ stragglers: count }, { state: text, firstBreak: time }),
    store: object(
      {
        schemaVersion: count,
        generation: count,
        entries: count,
        lastHash: text,
        lastAt: time,
        issued: count,
        unfinished: count,
        sizeBytes: count,
      },
      {
        lastHead: object({ number: count, hash: text, at: time, generation: count, auditKeyId: text }),
        fault: text,
      },
    ),
    registrations: count,
    issuedSinceStart: count,
    refusedSinceStart: count,
    streams: object({
      open: count,
      bundle: object({ taken: count, acknowledged: count }),
      listed: { ...list(stream), description: "At most 500, those first that have rejected something." },
    }),
    warnings: texts,
  },
  { serverCertificateNotAfter: time },
);

const token = object(
  { hash: text, spiffeId: text, created: time, expires: time, createdBy: text, sourceCidrs: texts },
  { used: object({ at: time, serial: text }, { remoteAddress: text }) },
);

const entry = object(
  {
    name: text,
    source: object({ file: text, line: count }),
    spiffeId: list({ type: "object", additionalProperties: true }),
    callers: list({ type: "object", additionalProperties: true }),
    dnsNames: texts,
    keyKinds: texts,
  },
  { ttlSeconds: count, maxTtlSeconds: count },
);

const explanation = object({ id: text, at: time, code: text, door: text, steps }, { remoteAddress: text });

export const schemas = {
  issue: {
    summary: "A certificate for the caller, who brings a client certificate or a bearer token.",
    body: object({ csr }, { ttlSeconds, spiffeId }),
    response: {
      200: object({ serial: text, spiffeId: text, notBefore: time, notAfter: time, chain: list(pem) }),
      ...faults,
    },
  },
  bundle: { summary: "The trust anchors, PEM.", produces: ["application/x-pem-file"] },
  bundleJson: { summary: "The trust bundle as SPIFFE has it (JWK set).", produces: ["application/json"] },
  status: {
    summary: "Authorities, records, and what an operator should look at.",
    response: { 200: status, ...faults },
  },
  certificates: {
    summary: "What was issued, newest first.",
    querystring: object(
      {},
      {
        after: serial,
        limit,
        spiffeId,
        state: { enum: ["intended", "issued", "abandoned"] },
        revoked: yesNo,
        endingWithinSeconds: { type: "string", pattern: "^[0-9]{1,9}$" },
        newestOnly: yesNo,
      },
    ),
    response: { 200: object({ certificates: list(certificate) }, { next: text }), ...faults },
  },
  certificate: {
    summary: "One record, with the certificate.",
    params: object({ serial }),
    response: { 200: certificate, ...faults },
  },
  explanation: {
    summary: "The ordered checks of a request that was refused.",
    params: object({ id: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" } }),
    response: { 200: explanation, ...faults },
  },
  tokens: {
    summary: "Join tokens, newest first, without the tokens themselves.",
    querystring: object({}, { limit }),
    response: { 200: object({ tokens: list(token) }), ...faults },
  },
  createToken: {
    summary: "A new join token. It is in this answer and nowhere else.",
    body: object(
      { spiffeId },
      {
        ttlSeconds: { ...ttlSeconds, minimum: 1 },
        sourceCidrs: { type: "array", maxItems: 64, items: { type: "string", minLength: 1, maxLength: 64 } },
      },
    ),
    response: { 201: object({ token: text, expires: time }), ...faults },
  },
  entries: { summary: "The registrations in force.", response: { 200: object({ entries: list(entry) }), ...faults } },
  revocations: {
    summary: "What is revoked.",
    response: { 200: object({ revocations: list(revocation) }), ...faults },
  },
  revoke: {
    summary: "Revokes a certificate by its serial or its SHA-256, or all that an identity has and asks for.",
    body: { ...object({ reason }, { serial, fingerprint, spiffeId }), minProperties: 2, maxProperties: 2 },
    response: { 200: object({ revoked: flag }), ...faults },
  },
  audit: {
    summary: "The log of records, verified from its beginning.",
    response: {
      200: object({
        ok: flag,
        entries: count,
        heads: count,
        sealedUpTo: count,
        faults: list(object({ entry: count, message: text })),
      }),
      ...faults,
    },
  },
  dryRun: {
    summary: "What would be issued, with its lints. Nothing is signed with an authority's key, or recorded.",
    body: object({ spiffeId, csr }, { ttlSeconds }),
    response: {
      200: object(
        { steps, findings: list(object({ lint: text, citation: text, message: text })) },
        { certificate: pem },
      ),
      ...faults,
    },
  },
  rotate: { summary: "A new issuing authority, active when this answers.", response: { 200: authority, ...faults } },
  backup: {
    summary: "A consistent copy of the records into a file of the authority's machine. At the Unix socket alone.",
    body: object({ file: { type: "string", pattern: "^/[^\\u0000]*$", maxLength: 4096 } }),
    response: { 200: object({ file: text }), ...faults },
  },
} as const;
