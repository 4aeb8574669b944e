import type { DecodedFolder } from "#policy-compiler/document/decode-documents";
import { splitApiVersion } from "#policy-compiler/document/kinds";
import type { AuthorizationPolicy, DocumentSet } from "#policy-compiler/document/model";
import { compareText } from "#policy-compiler/source/diagnose";
import type { Span } from "#policy-compiler/source/diagnostic";
import { LineTables } from "#policy-compiler/source/locate";
import { compareFields, type FieldChangeKind, type FieldChange as SpannedChange } from "./compare-fields.ts";
import { compareRules, type SpannedRuleChange } from "./compare-rules.ts";
import { type Consequence, consequencesOf } from "./consequences.ts";
import { describeDocument, describeMesh, type HeadedDocument } from "./describe-document.ts";
import type { Piece } from "./field-tree.ts";

/** A place in one of the two states; lines count from one. */
export interface ChangePlace {
  readonly file: string;
  readonly line: number;
}

/** A text of a field, and where it stands, as near as that is kept. */
export interface ChangedText {
  readonly text: string;
  readonly at: ChangePlace;
}

export interface FieldChange {
  readonly path: string;
  readonly kind: FieldChangeKind;
  readonly before: readonly ChangedText[];
  readonly after: readonly ChangedText[];
}

/** A rule that came, went or changed. Ordinals count from zero, as in the names of rules. */
export interface RuleChange {
  readonly kind: "added" | "removed" | "changed";
  readonly before: { readonly ordinal: number; readonly at: ChangePlace } | undefined;
  readonly after: { readonly ordinal: number; readonly at: ChangePlace } | undefined;
  /** Of one that was added or removed, the whole rule as flow YAML; of one that changed its fields. */
  readonly text: string | undefined;
  readonly fields: readonly FieldChange[];
  readonly consequence: Consequence | undefined;
}

export interface DocumentChange {
  /** `moved`: the same, in another file. A changed document can have moved too: its places tell. */
  readonly kind: "added" | "removed" | "moved" | "changed";
  /** `AuthorizationPolicy`; `mesh` for `mesh.yaml`. */
  readonly document: {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
  readonly before: ChangePlace | undefined;
  readonly after: ChangePlace | undefined;
  readonly fields: readonly FieldChange[];
  readonly rules: readonly RuleChange[];
  /** Rules that stayed what they were and have another ordinal now, as [before, after]: logs name them by it. */
  readonly renumbered: readonly (readonly [before: number, after: number])[];
  readonly consequences: readonly Consequence[];
}

/**
 * What differs between two states of a policy folder, by kind, then namespace and name. Documents are the same ones when group, kind, namespace and name are;
 * lists of rules and their like are matched by content. Comments, order of files and the writing of YAML are no difference. Documents that could not
 * be decoded are in neither. Pure; the same input gives the same result.
 */
export function compareDocuments(before: DecodedFolder, after: DecodedFolder): readonly DocumentChange[] {
  const [old, now] = [headed(before.documents), headed(after.documents)];
  const places = { before: new LineTables(before.texts), after: new LineTables(after.texts) };
  const { trustDomain, trustDomainAliases } = after.documents.mesh;
  const trustDomains = [trustDomain, ...trustDomainAliases];
  const keys = [...new Set([...old.keys(), ...now.keys()])].toSorted(compareText);
  const changes = keys.flatMap((key) => compareOne(old.get(key), now.get(key), places, trustDomains) ?? []);
  const mesh = compareMesh(before.documents, after.documents, places);
  return mesh === undefined ? changes : [mesh, ...changes];
}

function headed(documents: DocumentSet): ReadonlyMap<string, HeadedDocument> {
  const { authorizationPolicies, requestAuthentications, peerAuthentications } = documents;
  const { workloads, services, registrations } = documents;
  const policies = [...authorizationPolicies, ...requestAuthentications, ...peerAuthentications];
  const all = [...policies, ...workloads, ...services, ...registrations];
  return new Map(
    all.map((document) => {
      const { group, kind, namespace, name } = nameOf(document);
      return [[kind, namespace, name, group].join("\0"), document];
    }),
  );
}

function nameOf({ head }: HeadedDocument): DocumentChange["document"] {
  const { group } = splitApiVersion(head.apiVersion.value);
  return { group, kind: head.kind.value, namespace: head.namespace.value, name: head.name.value };
}

interface Places {
  readonly before: LineTables;
  readonly after: LineTables;
}

function compareOne(
  before: HeadedDocument | undefined,
  after: HeadedDocument | undefined,
  places: Places,
  trustDomains: readonly string[],
): DocumentChange | undefined {
  const document = (after ?? before)!;
  const named = {
    document: nameOf(document),
    before: before && placeOf(places.before, before.head.file, before.head.name.span),
    after: after && placeOf(places.after, after.head.file, after.head.name.span),
  };
  if (before === undefined || after === undefined) {
    const kind = before === undefined ? "added" : "removed";
    return { kind, ...named, fields: [], rules: [], renumbered: [], consequences: consequencesOf(before, after) };
  }
  const files: Files = { before: before.head.file, after: after.head.file, places };
  const fields = compareFields(describeDocument(before), describeDocument(after), "");
  const { changes, renumbered } =
    isPolicy(before) && isPolicy(after) ? compareRules(before, after, trustDomains) : noRules;
  const isSame = fields.length + changes.length + renumbered.length === 0;
  if (isSame && before.head.file === after.head.file) return undefined;
  return {
    kind: isSame ? "moved" : "changed",
    ...named,
    fields: fields.map((change) => placeField(change, files, before.head.name.span, after.head.name.span)),
    rules: changes.map((change) => placeRule(change, files)),
    renumbered,
    consequences: consequencesOf(before, after),
  };
}

const noRules = { changes: [], renumbered: [] } as const;

function isPolicy(document: HeadedDocument): document is AuthorizationPolicy {
  return document.type === "AuthorizationPolicy";
}

function compareMesh(before: DocumentSet, after: DocumentSet, places: Places): DocumentChange | undefined {
  const fields = compareFields(describeMesh(before.mesh), describeMesh(after.mesh), "");
  if (fields.length === 0) return undefined;
  const start: Span = { start: 0, end: 0 };
  const files: Files = { before: before.mesh.file, after: after.mesh.file, places };
  return {
    kind: "changed",
    document: { group: "", kind: "mesh", namespace: "", name: "" },
    before: placeOf(places.before, files.before, start),
    after: placeOf(places.after, files.after, start),
    fields: fields.map((change) => placeField(change, files, start, start)),
    rules: [],
    renumbered: [],
    consequences: [],
  };
}

/** The files of one document in the two states. */
interface Files {
  readonly before: string;
  readonly after: string;
  readonly places: Places;
}

function placeRule({ before, after, fields, ...rest }: SpannedRuleChange, files: Files): RuleChange {
  const { places } = files;
  return {
    ...rest,
    before: before && { ordinal: before.ordinal, at: placeOf(places.before, files.before, before.span) },
    after: after && { ordinal: after.ordinal, at: placeOf(places.after, files.after, after.span) },
    fields: fields.map((change) => placeField(change, files, before?.span, after?.span)),
  };
}

function placeField(
  { path, kind, before, after }: SpannedChange,
  { places, ...files }: Files,
  oldWhole: Span | undefined,
  newWhole: Span | undefined,
): FieldChange {
  const place = (side: keyof Places, pieces: readonly Piece[], whole: Span | undefined) =>
    pieces.map(({ text, span }) => ({ text, at: placeOf(places[side], files[side], span ?? whole ?? noSpan) }));
  return { path, kind, before: place("before", before, oldWhole), after: place("after", after, newWhole) };
}

const noSpan: Span = { start: 0, end: 0 };

function placeOf(lines: LineTables, file: string, { start }: Span): ChangePlace {
  return { file, line: lines.locate(file, start).line };
}
