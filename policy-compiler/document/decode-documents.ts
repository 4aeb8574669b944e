import type { DiagnosticCode } from "#policy-compiler/source/codes";
import { compareText } from "#policy-compiler/source/diagnose";
import type { Finding } from "#policy-compiler/source/diagnostic";
import { LineTables } from "#policy-compiler/source/locate";
import type { CompileOptions, SourceFile } from "#policy-compiler/source/source-file";
import { yamlLimits } from "#policy-compiler/yaml/limits";
import { parseYaml } from "#policy-compiler/yaml/parse-yaml";
import { isNull, type YamlDocument, type YamlNode } from "#policy-compiler/yaml/tree";
import { type Classification, classifyDocument, type ItemHead } from "./classify-document.ts";
import { decodeAuthorizationPolicy } from "./decode-authorization-policy.ts";
import { decodeHead } from "./decode-head.ts";
import { decodeMesh, defaultMesh } from "./decode-mesh.ts";
import { decodePeerAuthentication } from "./decode-peer-authentication.ts";
import { decodeWorkloadRegistration } from "./decode-registration.ts";
import { decodeServiceEntry, decodeWorkloadEntry } from "./decode-registry.ts";
import { decodeRequestAuthentication } from "./decode-request-authentication.ts";
import { Decoding } from "./decoding.ts";
import { garitaGroup, type OurKind, splitApiVersion } from "./kinds.ts";
import type {
  AuthorizationPolicy,
  DocumentHead,
  DocumentSet,
  MeshDocument,
  PeerAuthentication,
  RequestAuthentication,
  ServiceDocument,
  WorkloadDocument,
  WorkloadRegistrationDocument,
} from "./model.ts";
import { reportUnknownField } from "./read-fields.ts";

export interface DecodedFolder {
  readonly documents: DocumentSet;
  readonly findings: readonly Finding[];
  /** The text of every file that was read, by path: what places are made from. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Decodes the files of a policy folder, in order of their paths. Objects that cannot be decoded are left out and have a
 * finding; what is no policy is passed over with a note. Never throws.
 */
export function decodeDocuments(files: readonly SourceFile[], options: CompileOptions): DecodedFolder {
  const folder = new FolderDecoder(options.istioLax ?? false);
  let bytes = 0;
  for (const file of files.toSorted((left, right) => compareText(left.path, right.path))) {
    if (!isDocumentFile(file.path)) continue;
    bytes += file.bytes.length;
    if (bytes > yamlLimits.folderBytes) {
      folder.refuseSize(file.path);
      break;
    }
    folder.decodeFile(file);
  }
  return folder.finish();
}

const documentName = /\.(?:yaml|yml|json)$/i;
const policyTestName = /_test\.(?:yaml|yml)$/i;

/** Hidden folders are not looked into. */
function isDocumentFile(path: string): boolean {
  const folders = path.split("/").slice(0, -1);
  return documentName.test(path) && !folders.some((name) => name.startsWith(".") && name !== ".");
}

const meshFile = "mesh.yaml";
const meshMisnamed: ReadonlySet<string> = new Set(["mesh.yml", "mesh.json"]);
const objectFields: readonly string[] = ["apiVersion", "kind", "metadata", "spec", "status"];
const fileStart = { start: 0, end: 0 };

class FolderDecoder {
  readonly #istioLax: boolean;
  readonly #findings: Finding[] = [];
  readonly #texts = new Map<string, string>();
  readonly #lines = new LineTables(this.#texts);
  readonly #heads = new Map<string, DocumentHead>();
  #mesh: MeshDocument = defaultMesh(meshFile);
  readonly #authorizationPolicies: AuthorizationPolicy[] = [];
  readonly #requestAuthentications: RequestAuthentication[] = [];
  readonly #peerAuthentications: PeerAuthentication[] = [];
  readonly #workloads: WorkloadDocument[] = [];
  readonly #services: ServiceDocument[] = [];
  readonly #registrations: WorkloadRegistrationDocument[] = [];

  constructor(istioLax: boolean) {
    this.#istioLax = istioLax;
  }

  finish(): DecodedFolder {
    const documents: DocumentSet = {
      mesh: this.#mesh,
      authorizationPolicies: this.#authorizationPolicies,
      requestAuthentications: this.#requestAuthentications,
      peerAuthentications: this.#peerAuthentications,
      workloads: this.#workloads,
      services: this.#services,
      registrations: this.#registrations,
    };
    return { documents, findings: this.#findings, texts: this.#texts };
  }

  refuseSize(file: string): void {
    const message = `expected files of at most ${yamlLimits.folderBytes} bytes together, found more`;
    this.#findings.push({ code: "folder/too-large", message, file, span: fileStart });
  }

  decodeFile(file: SourceFile): void {
    const { path } = file;
    if (policyTestName.test(path)) {
      this.#findings.push({
        code: "folder/policy-test",
        message: "passed over policy tests, which `garita test` runs",
        file: path,
        span: fileStart,
      });
      return;
    }
    const parsed = parseYaml(file);
    if (parsed.text !== undefined) this.#texts.set(path, parsed.text);
    const braces = parsed.text?.indexOf("{{") ?? -1;
    if (braces !== -1) {
      const message = `expected YAML without templates, found \`{{\` in \`${path}\``;
      const span = { start: braces, end: braces + 2 };
      const help = "render the template first, and keep its source outside the policy folder";
      this.#findings.push({ code: "folder/template-braces", message, file: path, span, help });
      return;
    }
    this.#findings.push(...parsed.findings);
    if (path === meshFile) this.#decodeMeshFile(path, parsed.documents);
    else if (meshMisnamed.has(path)) {
      const message = `expected the mesh configuration in \`${meshFile}\`, found \`${path}\``;
      this.#findings.push({ code: "mesh/shape", message, file: path, span: fileStart });
    } else for (const { root } of parsed.documents) this.#decodeDocument(path, root, undefined);
  }

  #decodeMeshFile(path: string, documents: readonly YamlDocument[]): void {
    const decoding = this.#decoding(path, this.#istioLax);
    this.#mesh = decodeMesh(
      decoding,
      documents.map(({ root }) => root),
    );
  }

  #decoding(path: string, istioLax: boolean): Decoding {
    return new Decoding({ path, text: this.#texts.get(path) ?? "" }, istioLax, this.#findings);
  }

  #decodeDocument(file: string, root: YamlNode, itemHead: ItemHead | undefined): void {
    const found = classifyDocument(root, itemHead);
    // Only of Istio's documents could Istio have dropped anything.
    const isOwn = found.is === "object" && found.group === garitaGroup;
    const decoding = this.#decoding(file, this.#istioLax && !isOwn);
    switch (found.is) {
      case "outside":
        decoding.report(found.code, found.span, found.message, found.help ?? strayMeshHelp(file, found.code));
        return;
      case "list":
        this.#decodeList(file, decoding, found.items, found.itemHead);
        return;
      case "object":
        this.#decodeObject(decoding, found);
    }
  }

  #decodeList(file: string, decoding: Decoding, items: YamlNode | undefined, itemHead: ItemHead | undefined): void {
    if (items === undefined || isNull(items)) return;
    if (items.kind !== "sequence") decoding.refuseType("`items`", "a list", items);
    else for (const item of items.items) this.#decodeDocument(file, item, itemHead);
  }

  #decodeObject(decoding: Decoding, found: Extract<Classification, { is: "object" }>): void {
    const fields = new Map<string, YamlNode>();
    for (const { key, value } of found.document.entries) {
      if (objectFields.includes(key.text)) fields.set(key.text, value);
      else reportUnknownField(decoding, key, objectFields, `\`${found.kind}\``);
    }
    const metadata = fields.get("metadata");
    const head = decodeHead(
      decoding,
      found.document,
      found.apiVersion,
      found.kindText,
      metadata !== undefined && isNull(metadata) ? undefined : metadata,
    );
    this.#checkOnlyOne(decoding, head);
    this.#decodeSpec(decoding, found, head, fields.get("spec") ?? emptyAt(found.kindText.span));
  }

  /** ORDER: the first in order of the files keeps its name. */
  #checkOnlyOne(decoding: Decoding, head: DocumentHead): void {
    if (head.name.value === "") return;
    const { group } = splitApiVersion(head.apiVersion.value);
    const key = `${group}/${head.kind.value}/${head.namespace.value}/${head.name.value}`;
    const first = this.#heads.get(key);
    if (first === undefined) {
      this.#heads.set(key, head);
      return;
    }
    const { line } = this.#lines.locate(first.file, first.name.span.start);
    const message = `expected one ${head.kind.value} \`${head.namespace.value}/${head.name.value}\`, found another`;
    decoding.report(
      "document/duplicate-object",
      head.name.span,
      message,
      `the first stands in ${first.file}, line ${line}`,
    );
  }

  #decodeSpec(
    decoding: Decoding,
    { kind, group }: { readonly kind: OurKind; readonly group: string },
    head: DocumentHead,
    spec: YamlNode,
  ): void {
    switch (kind) {
      case "AuthorizationPolicy":
        keep(decoding, this.#authorizationPolicies, decodeAuthorizationPolicy(decoding, head, spec, group));
        break;
      case "RequestAuthentication":
        keep(decoding, this.#requestAuthentications, decodeRequestAuthentication(decoding, head, spec));
        break;
      case "PeerAuthentication":
        keep(decoding, this.#peerAuthentications, decodePeerAuthentication(decoding, head, spec));
        break;
      case "WorkloadEntry":
        keep(decoding, this.#workloads, decodeWorkloadEntry(decoding, head, spec));
        break;
      case "ServiceEntry":
        keep(decoding, this.#services, decodeServiceEntry(decoding, head, spec));
        break;
      case "WorkloadRegistration":
        keep(decoding, this.#registrations, decodeWorkloadRegistration(decoding, head, spec));
        break;
      default:
        kind satisfies never;
    }
  }
}

function strayMeshHelp(file: string, code: DiagnosticCode): string | undefined {
  return code === "document/no-kind" && file.endsWith(`/${meshFile}`)
    ? `\`${meshFile}\` is read at the root of the folder`
    : undefined;
}

/** An object that could not be decoded as a whole is not believed in part. */
function keep<T>(decoding: Decoding, documents: T[], document: T): void {
  if (!decoding.refused) documents.push(document);
}

function emptyAt(span: { readonly start: number; readonly end: number }): YamlNode {
  return { kind: "scalar", span, value: null, text: "", style: "plain", elsewhere: undefined };
}
