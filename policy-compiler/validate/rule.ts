import type {
  AuthorizationPolicy,
  ConditionEntry,
  ExpressionDocument,
  ExtensionDocument,
  FieldValues,
  JwtRuleDocument,
  MeshDocument,
  OperationField,
  PeerAuthentication,
  Placement,
  RegistrationCallerDocument,
  RequestAuthentication,
  ResponseFieldDocument,
  RuleDocument,
  SourceField,
  WorkloadRegistrationDocument,
} from "#policy-compiler/document/model";
import type { ProviderResolution } from "#policy-compiler/ruleset/providers/resolve";
import type { HeaderPlace } from "#policy-compiler/ruleset/response-limits";
import type { DiagnosticCode } from "#policy-compiler/source/codes";
import type { Located, Span } from "#policy-compiler/source/diagnostic";
import type { RegisteredWorkloads } from "./registered-workloads.ts";

/** What one row of the table has to say about one subject. */
export interface Fault {
  readonly span: Span;
  readonly message: string;
  readonly help?: string;
}

export interface RuleSubject {
  readonly policy: AuthorizationPolicy;
  readonly rule: RuleDocument;
}

/** One list of values, its twin included: `field` is the name that the author wrote, `notPaths` for the twin of `paths`. */
export interface ListSubject extends RuleSubject {
  readonly field: SourceField | OperationField;
  readonly written: string;
  readonly values: readonly Located<string>[];
}

/** What only our own group has. */
export interface ExtensionSubject extends RuleSubject {
  readonly extension: ExtensionDocument;
}

/** A condition, or a value of an answer. `field` is how the author knows it: `cel`, `headers.location`. */
export interface ExpressionSubject extends RuleSubject {
  readonly of: "condition" | "value";
  readonly field: string;
  readonly expression: ExpressionDocument;
}

/** One list of headers or of members of metadata; `list` is its name. */
export interface ResponseFieldsSubject extends RuleSubject {
  readonly place: HeaderPlace | "metadata";
  readonly list: string;
  readonly fields: readonly ResponseFieldDocument[];
}

export interface RegistrationCallerSubject {
  readonly registration: WorkloadRegistrationDocument;
  readonly caller: RegistrationCallerDocument;
}

export interface Fields {
  readonly span: Span;
  readonly fields: Partial<Record<SourceField | OperationField, FieldValues>>;
}

/** The places of a document that rows can be about, and what a row gets to see there. */
export interface Subjects {
  /** Every document that can be put in force: the security API's, and registrations. */
  readonly document: AuthorizationPolicy | RequestAuthentication | PeerAuthentication | WorkloadRegistrationDocument;
  /** Where a document applies; PeerAuthentication has a selector only. */
  readonly placement: Placement;
  readonly policy: AuthorizationPolicy;
  readonly rule: RuleSubject;
  /** The `source` or the `operation` of an item that has one. */
  readonly source: RuleSubject & { readonly source: Fields };
  readonly operation: RuleSubject & { readonly operation: Fields };
  readonly list: ListSubject;
  readonly condition: RuleSubject & { readonly condition: ConditionEntry };
  readonly extension: ExtensionSubject;
  readonly expression: ExpressionSubject;
  readonly responseFields: ResponseFieldsSubject;
  readonly requestAuthentication: RequestAuthentication;
  readonly jwtRule: JwtRuleDocument;
  readonly peerAuthentication: PeerAuthentication;
  readonly registration: WorkloadRegistrationDocument;
  readonly registrationCaller: RegistrationCallerSubject;
}

export type SubjectKind = keyof Subjects;

/** What the folder holds beside the document that is judged. */
export interface Known {
  readonly workloads: RegisteredWorkloads;
  /** Extension providers of the mesh by name. */
  readonly providers: ReadonlyMap<string, ProviderResolution>;
  /** Policies with action CUSTOM by namespace. */
  readonly customPolicies: ReadonlyMap<string, readonly AuthorizationPolicy[]>;
  /** Of each registration that says what an earlier one says (\`repeated-registrations.ts\`): that one. */
  readonly repeatedRegistrations: ReadonlyMap<WorkloadRegistrationDocument, WorkloadRegistrationDocument>;
}

/** One row: the code it reports, the subject it is about, and how it finds fault. Rows know nothing of each other. */
export interface Row<Kind extends SubjectKind = SubjectKind> {
  readonly code: DiagnosticCode;
  readonly about: Kind;
  readonly find: (subject: Subjects[Kind], mesh: MeshDocument, known: Known) => Iterable<Fault>;
}

/** A row of any kind; `Row<SubjectKind>` would ask each `find` to take every subject. */
export type AnyRow = { readonly [Kind in SubjectKind]: Row<Kind> }[SubjectKind];
