import fc from "fast-check";
import type {
  AllowResponse,
  Attachment,
  Attribute,
  DenyResponse,
  Expression,
  FieldTest,
  IndexDimension,
  Mesh,
  Origin,
  Policy,
  RegisteredCaller,
  ResponseValue,
  Rule,
  RuleBody,
  RuleExtension,
  RuleIndex,
  RuleSet,
  SpiffeIdPart,
  TextTest,
  ValueTest,
  WorkloadRegistration,
} from "#policy-compiler/ruleset/model";
import { registrationKeyKinds, serviceResolutions, stages } from "#policy-compiler/ruleset/model";

/** Any UTF-16 text, lone surrogates included. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
);
const byteString = fc.string({
  unit: fc.integer({ min: 0, max: 0xff }).map((c) => String.fromCharCode(c)),
  maxLength: 12,
});
const short = { maxLength: 3 };
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const port = fc.integer({ min: 0, max: 65535 });
const whole = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));

const origin: fc.Arbitrary<Origin> = fc.record({ file: text, line: whole, column: whole }, { noNullPrototype: true });
const labels = fc.array(fc.tuple(text, text), short);

const textTest: fc.Arbitrary<TextTest> = fc.oneof(
  fc.record({ op: fc.constantFrom("exact", "prefix", "suffix"), text: byteString }, { noNullPrototype: true }),
  fc.constant({ op: "present" as const }),
);

const cidr = fc.oneof(fc.constant(4), fc.constant(16)).chain((size) =>
  fc
    .tuple(fc.array(fc.nat(255), { minLength: size, maxLength: size }), fc.nat(size * 8))
    .map(([bytes, prefixLength]) => ({
      bytes: bytes.map((byte, i) => byte & (0xff << (8 - Math.min(8, Math.max(0, prefixLength - i * 8)))) & 0xff),
      prefixLength,
    })),
);

const template = fc
  .array(fc.constantFrom<"*" | "**">("*", "**"), { minLength: 1, maxLength: 3 })
  .chain((globs) =>
    fc
      .array(byteString, { minLength: globs.length + 1, maxLength: globs.length + 1 })
      .map((pieces): ValueTest => ({ kind: "template", pieces, globs })),
  );

const valueTest: fc.Arbitrary<ValueTest> = fc.oneof(
  textTest.map((test): ValueTest => ({ kind: "text", test })),
  template,
  port.map((port): ValueTest => ({ kind: "port", port })),
  cidr.map((block): ValueTest => ({ kind: "cidr", ...block })),
  textTest.map((test): ValueTest => ({ kind: "principal", test })),
  fc.array(byteString, short).map((pieces): ValueTest => ({ kind: "namespace", pieces })),
  fc.tuple(byteString, byteString).map(([namespace, name]): ValueTest => ({ kind: "serviceAccount", namespace, name })),
  byteString.map((text): ValueTest => ({ kind: "trustDomain", op: "exact", text })),
  fc
    .tuple(byteString, byteString)
    .map(([before, after]): ValueTest => ({ kind: "trustDomain", op: "star", before, after })),
  fc.constant<ValueTest>({ kind: "trustDomain", op: "any" }),
  fc.tuple(textTest, textTest).map(([iss, sub]): ValueTest => ({ kind: "requestPrincipal", iss, sub })),
  fc.tuple(fc.boolean(), textTest).map(([list, test]): ValueTest => ({ kind: "metadata", list, test })),
);

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc
    .constantFrom(
      ...(["host", "method", "path", "port", "peerAddress", "remoteAddress"] as const),
      ...(["destinationAddress", "identity", "requestPrincipal", "sni"] as const),
    )
    .map((kind): Attribute => ({ kind })),
  byteString.map((name): Attribute => ({ kind: "header", name })),
  fc.array(byteString, short).map((path): Attribute => ({ kind: "claim", path })),
  fc.tuple(byteString, byteString).map(([namespace, key]): Attribute => ({ kind: "metadata", namespace, key })),
);

const field: fc.Arbitrary<FieldTest> = fc.record(
  {
    field: text,
    attribute,
    values: fc.array(valueTest, short),
    notValues: fc.array(valueTest, short),
    texts: fc.array(text, short),
    notTexts: fc.array(text, short),
  },
  { noNullPrototype: true },
);

const entries = fc.array(fc.array(field, short), short);
const body: fc.Arbitrary<RuleBody> = fc.record(
  { to: entries, from: entries, when: fc.array(field, short) },
  { noNullPrototype: true },
);

const expression: fc.Arbitrary<Expression> = fc.record({ text, origin }, { noNullPrototype: true });

const responseValue: fc.Arbitrary<ResponseValue> = fc.oneof(
  byteString.map((text): ResponseValue => ({ kind: "text", text })),
  expression.map((expression): ResponseValue => ({ kind: "cel", expression })),
);

const headerName = fc.string({ unit: fc.constantFrom(..."abxyz019-_"), minLength: 1, maxLength: 8 });
const headers = fc.array(fc.tuple(headerName, responseValue), short);

const denyResponse: fc.Arbitrary<DenyResponse> = fc.record(
  { status: maybe(fc.integer({ min: 300, max: 599 })), headers, body: maybe(responseValue) },
  { noNullPrototype: true },
);

const allowResponse: fc.Arbitrary<AllowResponse> = fc.record(
  {
    requestHeaders: headers,
    responseHeaders: headers,
    dynamicMetadata: fc.array(fc.tuple(text, responseValue), short),
  },
  { noNullPrototype: true },
);

const anyExtension: fc.Arbitrary<RuleExtension> = fc.record(
  { conditions: fc.array(expression, short), denyResponse: maybe(denyResponse), allowResponse: maybe(allowResponse) },
  { noNullPrototype: true },
);

/** What of an extension a policy can have; one that says nothing is absent. */
function extensionUnder({ family, stage }: Policy, any: RuleExtension): RuleExtension | undefined {
  const said = {
    conditions: any.conditions,
    denyResponse: stage === "deny" || stage === "dryRunDeny" ? any.denyResponse : undefined,
    allowResponse: stage === "allow" || stage === "dryRunAllow" ? any.allowResponse : undefined,
  };
  const isEmpty = said.conditions.length === 0 && said.denyResponse === undefined && said.allowResponse === undefined;
  return family === undefined || isEmpty ? undefined : said;
}

const rule = (policies: readonly Policy[]): fc.Arbitrary<Rule> =>
  fc
    .tuple(fc.nat(policies.length - 1), fc.nat(600), origin, maybe(body), fc.boolean(), maybe(body), anyExtension)
    .map(([policy, ordinal, origin, http, same, own, any]) => {
      const rule = { policy, ordinal, origin, http, tcp: same ? http : own };
      const extension = extensionUnder(policies[policy]!, any);
      return extension === undefined ? rule : { ...rule, extension };
    });

const attachment: fc.Arbitrary<Attachment> = fc.oneof(
  labels.map((labels): Attachment => ({ kind: "selector", labels })),
  fc
    .array(fc.record({ group: text, kind: text, name: text }, { noNullPrototype: true }), short)
    .map((refs): Attachment => ({ kind: "targetRefs", refs })),
);

const policy: fc.Arbitrary<Policy> = fc
  .record(
    { namespace: text, name: text, stage: fc.constantFrom(...stages), provider: maybe(text), attachment, origin },
    { noNullPrototype: true },
  )
  .chain((policy) => fc.constantFrom(policy, { family: "garita" as const, ...policy }));

const modes = fc.constantFrom("UNSET" as const, "DISABLE" as const, "PERMISSIVE" as const, "STRICT" as const);

const ids = (rules: number): fc.Arbitrary<readonly number[]> =>
  rules === 0
    ? fc.constant([])
    : fc.uniqueArray(fc.nat(rules - 1), { maxLength: 6 }).map((numbers) => numbers.sort((a, b) => a - b));

const dimension = (rules: number): fc.Arbitrary<IndexDimension> => {
  const rows = fc.array(fc.tuple(byteString, ids(rules)), short);
  return fc.record(
    {
      on: fc.oneof(
        attribute.map((attribute) => ({ kind: "attribute" as const, attribute })),
        fc.constantFrom(
          { kind: "identityNamespace" as const },
          { kind: "identityServiceAccount" as const },
          { kind: "identityTrustDomain" as const },
          { kind: "workloadNamespace" as const },
        ),
        text.map((key) => ({ kind: "workloadLabel" as const, key })),
      ),
      exact: rows,
      prefix: rows,
      suffix: rows,
      cidr: fc.array(
        fc.tuple(cidr, ids(rules)).map(([block, rules]) => ({ ...block, rules })),
        short,
      ),
      present: ids(rules),
    },
    { noNullPrototype: true },
  );
};

const index = (rules: number): fc.Arbitrary<RuleIndex> =>
  fc.record({ always: ids(rules), dimensions: fc.array(dimension(rules), short) }, { noNullPrototype: true });

const mesh: fc.Arbitrary<Mesh> = fc.record(
  {
    rootNamespace: text,
    trustDomain: text,
    trustDomainAliases: fc.array(text, short),
    pathNormalization: fc.constantFrom("NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
    numTrustedProxies: whole,
  },
  { noNullPrototype: true },
);

const jwtRule = fc.record(
  {
    issuer: text,
    audiences: fc.array(text, short),
    jwksUri: maybe(text),
    jwks: maybe(text),
    fromHeaders: fc.array(fc.record({ name: text, prefix: text }, { noNullPrototype: true }), short),
    fromParams: fc.array(text, short),
    fromCookies: fc.array(text, short),
    forwardOriginalToken: fc.boolean(),
    outputPayloadToHeader: maybe(text),
    outputClaimToHeaders: fc.array(fc.record({ header: text, claim: text }, { noNullPrototype: true }), short),
    timeoutMillis: maybe(whole),
    spaceDelimitedClaims: fc.array(text, short),
    origin,
  },
  { noNullPrototype: true },
);

const piece = fc.string({ unit: fc.constantFrom(..."abxyzABZ019-_"), minLength: 1, maxLength: 6 });
const claimPath = fc.array(text, { minLength: 1, maxLength: 3 });

/** Segments of text, some with a claim that may have text before and behind it. */
const segments = fc.array(
  fc.oneof(
    piece.map((text): SpiffeIdPart[] => [{ kind: "text", text: `/${text}` }]),
    fc
      .tuple(fc.constantFrom("", "web-"), claimPath, fc.constantFrom("", "-v1"))
      .map(([before, path, after]): SpiffeIdPart[] => [
        { kind: "text", text: `/${before}` },
        { kind: "claim", path },
        ...(after === "" ? [] : [{ kind: "text" as const, text: after }]),
      ]),
  ),
  { minLength: 1, maxLength: 4 },
);

const jwtCaller: fc.Arbitrary<RegisteredCaller> = fc
  .tuple(text, fc.array(fc.tuple(claimPath, fc.array(text, { minLength: 1, maxLength: 3 })), short))
  .map(([issuer, claims]) => ({
    kind: "jwt",
    issuer,
    claims: claims.map(([path, values]) => ({ path, values })),
  }));
const anyCaller: fc.Arbitrary<RegisteredCaller> = fc.oneof(
  text.map((id): RegisteredCaller => ({ kind: "spiffeId", id })),
  jwtCaller,
  fc.constant<RegisteredCaller>({ kind: "joinToken" }),
);

const registration: fc.Arbitrary<WorkloadRegistration> = fc
  .tuple(
    piece.map((name) => name.toLowerCase()),
    segments,
  )
  .chain(([trustDomain, path]) => {
    const [first, ...rest] = path.flat();
    const spiffeId: SpiffeIdPart[] = [
      { kind: "text", text: `spiffe://${trustDomain}${first?.kind === "text" ? first.text : ""}` },
      ...rest,
    ];
    const hasClaim = spiffeId.some(({ kind }) => kind === "claim");
    return fc.record(
      {
        namespace: text,
        name: text,
        spiffeId: fc.constant(spiffeId),
        callers: fc.array(hasClaim ? jwtCaller : anyCaller, { minLength: 1, maxLength: 3 }),
        dnsNames: fc.array(text, short),
        keyKinds: fc.array(fc.constantFrom(...registrationKeyKinds), short),
        ttlSeconds: maybe(whole),
        maxTtlSeconds: maybe(whole),
        origin,
      },
      { noNullPrototype: true },
    );
  });

const named = { namespace: text, name: text, origin };

/** Rule sets that keep the invariants which the codec checks (ranges, masked addresses), and nothing else. */
export const anyRuleSet: fc.Arbitrary<RuleSet> = fc
  .array(policy, { maxLength: 4 })
  .chain((policies) =>
    fc.tuple(
      fc.constant(policies),
      policies.length === 0 ? fc.constant([]) : fc.array(rule(policies), { maxLength: 6 }),
    ),
  )
  .chain(([policies, rules]) =>
    fc.record(
      {
        mesh,
        policies: fc.constant(policies),
        rules: fc.constant(rules),
        peerAuthentications: fc.array(
          fc.record(
            { ...named, labels, mode: modes, ports: fc.array(fc.tuple(port, modes), short) },
            { noNullPrototype: true },
          ),
          short,
        ),
        requestAuthentications: fc.array(
          fc.record({ ...named, attachment, jwtRules: fc.array(jwtRule, { maxLength: 2 }) }, { noNullPrototype: true }),
          short,
        ),
        workloads: fc.array(
          fc.record(
            {
              ...named,
              labels,
              serviceAccount: maybe(text),
              address: maybe(text),
              ports: maybe(fc.array(port, short)),
            },
            { noNullPrototype: true },
          ),
          short,
        ),
        services: fc.array(
          fc.record(
            {
              ...named,
              hosts: fc.array(text, short),
              ports: fc.array(
                fc.record(
                  { number: port, name: text, protocol: text, targetPort: maybe(port) },
                  { noNullPrototype: true },
                ),
                short,
              ),
              resolution: fc.constantFrom(...serviceResolutions),
              endpoints: fc.array(
                fc.record({ address: text, ports: fc.array(fc.tuple(text, port), short) }, { noNullPrototype: true }),
                short,
              ),
            },
            { noNullPrototype: true },
          ),
          short,
        ),
        providers: fc.array(
          fc.record(
            { name: text, kind: fc.constantFrom("http", "grpc", "other"), options: text },
            { noNullPrototype: true },
          ),
          short,
        ),
        registrations: fc.array(registration, short),
        index: fc.record(
          {
            http: index(rules.length),
            tcp: index(rules.length),
            customHttp: index(rules.length),
            customTcp: index(rules.length),
          },
          { noNullPrototype: true },
        ),
      },
      { noNullPrototype: true },
    ),
  );
