import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { WorkloadKind } from "#authz/engine/attributes";
import { messageOf } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { checkShape } from "../config/check-shape.ts";
import { readYamlFully } from "../config/read-yaml-fully.ts";
import { normalFingerprint } from "../fingerprint.ts";
import { UsageFault } from "../usage-fault.ts";
import type { CheckMessage } from "./check-message.ts";
import type {
  CallerDescription,
  DescribedAnswer,
  HttpDescription,
  RequestDescription,
  WorkloadDescription,
} from "./description.ts";
import { requestSchema } from "./schema.ts";

/** The flags by which a person describes one request. */
export interface RequestOptions {
  readonly file?: string;
  readonly checkRequest?: string;
  readonly workload?: string;
  readonly namespace?: string;
  readonly label?: readonly string[];
  /** False: the workload has no labels. */
  readonly labels?: boolean;
  readonly kind?: WorkloadKind;
  readonly gateway?: string;
  readonly service?: string;
  readonly local?: string;
  readonly principal?: string;
  readonly dnsName?: string;
  readonly subject?: string;
  readonly fingerprint?: string;
  readonly sni?: string;
  readonly tls?: boolean;
  readonly peer?: string;
  readonly remote?: string;
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly header?: readonly string[];
  readonly http2?: boolean;
  readonly tcp?: boolean;
  readonly claims?: string;
  readonly provider?: readonly string[];
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** Options that describe a part of the request. */
const describingOptions = [
  ...["workload", "namespace", "label", "labels", "kind", "gateway", "service", "local"],
  ...["principal", "dnsName", "subject", "fingerprint", "sni", "tls", "peer", "remote"],
  ...["method", "host", "path", "header", "http2", "tcp", "claims"],
];

/** Adds the flags to a command. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("-f, --file <file>", "YAML or JSON description of the request (-: standard input); flags go over it")
    .addOption(
      new Option(
        "--check-request <file>",
        "a CheckRequest recorded as JSON, alone or as {request, metadata} (-: standard input); it is the whole request",
      ).conflicts(["file", ...describingOptions]),
    )
    .option("-w, --workload <name>", "WorkloadEntry that is asked about")
    .option("-n, --namespace <namespace>", "its namespace")
    .option(
      "-l, --label <key=value>",
      "a label, instead of --workload; repeatable (with no label: --no-labels)",
      collect,
    )
    .addOption(new Option("--no-labels", "the workload has no labels").conflicts("label"))
    .addOption(new Option("--kind <kind>", "what asks").choices(["sidecar", "gateway", "k8s-gateway", "waypoint"]))
    .option("--gateway <name>", "its Gateway")
    .option("--service <namespace/name>", "a waypoint's target")
    .option("--local <address:port>", "local address of the connection")
    .option("-p, --principal <id>", "SPIFFE ID of the caller, with or without spiffe://")
    .option("--dns-name <name>", "DNS name in the caller's certificate")
    .option("--subject <subject>", "subject of the caller's certificate")
    .option("--fingerprint <sha256>", "SHA-256 of the caller's certificate, for the deny list")
    .option("--sni <name>", "server name that the caller sends")
    .option("--tls", "the caller speaks TLS")
    .option("--peer <address>", "physical peer")
    .option("--remote <address>", "client behind trusted proxies")
    .option("-X, --method <method>", "HTTP method")
    .option("--host <authority>", "authority")
    .option("--path <target>", "request target with query")
    .option("-H, --header <name: value>", "a header line; repeatable", collect)
    .option("--http2", "the request came over HTTP/2")
    .option("--tcp", "a connection instead of a request")
    .option(
      "--claims <json>",
      "claims of a token that counts as signed; it is a bearer token, or stands where <token> stands in a header or the path",
    )
    .option("--provider <name=allow|deny>", "what an extension provider answers; repeatable", collect);
}

type Input = Pick<CommandContext, "readInput">;

/** What is to be decided, and what is described of the world around it. */
export interface DescribedCheck {
  readonly check: CheckMessage;
  readonly providers: Readonly<Record<string, DescribedAnswer>>;
}

/** Makes a check of the flags. Fails with `UsageFault`. */
export async function checkOf(options: RequestOptions, input: Input): Promise<DescribedCheck> {
  const { checkMessage, recordedCheck } = await import("./check-message.ts");
  if (options.checkRequest !== undefined) {
    const text = await readText(options.checkRequest, input);
    try {
      return { check: recordedCheck(text), providers: providersOf(options) };
    } catch (cause) {
      throw new UsageFault(`\`${options.checkRequest}\` is no CheckRequest: ${messageOf(cause)}`, { cause });
    }
  }
  const description = await describedBy(options, input);
  return { check: checkMessage(description), providers: description.providers ?? {} };
}

/** The description that the flags and the request file make. Fails with `UsageFault`. */
export async function describedBy(options: RequestOptions, input: Input): Promise<RequestDescription> {
  return describe(options, options.file === undefined ? {} : await readDescription(options.file, input));
}

/** A description out of the flags, laid over the one from the file. */
function describe(options: RequestOptions, base: RequestDescription): RequestDescription {
  const tcp = options.tcp ?? base.tcp ?? false;
  const described = {
    workload: { ...base.workload, ...workloadOf(options) },
    caller: { ...base.caller, ...callerOf(options) },
  };
  const answers = { ...base.providers, ...providersOf(options) };
  const providers = Object.keys(answers).length === 0 ? {} : { providers: answers };
  const request = { ...base.request, ...httpOf(options) };
  if (!tcp) return { ...described, request, ...providers };
  const [field] = Object.keys(request);
  if (field !== undefined) throw new UsageFault(`a connection has no \`${field}\`: leave it out, or \`tcp\``);
  return { ...described, tcp, ...providers };
}

function providersOf({ provider = [] }: RequestOptions): Readonly<Record<string, DescribedAnswer>> {
  return Object.fromEntries(
    provider.map((each) => {
      const [, name, answer] = /^([^=]+)=(allow|deny)$/.exec(each) ?? [];
      if (name === undefined) throw new UsageFault(`expected \`name=allow\` or \`name=deny\`, found \`${each}\``);
      return [name, answer as DescribedAnswer];
    }),
  );
}

function claimsOf(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === "object" && claims !== null && !Array.isArray(claims)) return { ...claims };
  } catch (cause) {
    throw new UsageFault(`the claims are no JSON: ${messageOf(cause)}`, { cause });
  }
  throw new UsageFault("expected a JSON object of claims");
}

function workloadOf(options: RequestOptions): WorkloadDescription {
  const { workload, namespace, kind, gateway, service, local } = options;
  const labels = labelsOf(options);
  return said({ workload, namespace, labels, kind, gateway, service, ...splitLocal(local) });
}

function labelsOf({ label, labels }: RequestOptions): Record<string, string> | undefined {
  if (label === undefined) return labels === false ? {} : undefined;
  return Object.fromEntries(
    label.map((each) => {
      const equals = each.indexOf("=");
      if (equals < 1) throw new UsageFault(`expected \`key=value\` for a label, found \`${each}\``);
      return [each.slice(0, equals), each.slice(equals + 1)];
    }),
  );
}

function splitLocal(local: string | undefined): { readonly address?: string; readonly port?: number } {
  if (local === undefined) return {};
  const found = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(local);
  const port = Number(found?.[3]);
  if (found === null || port > 65535) throw new UsageFault(`expected \`address:port\`, found \`${local}\``);
  const address = found[1] ?? found[2] ?? "";
  return address === "" ? { port } : { address, port };
}

function callerOf(options: RequestOptions): CallerDescription {
  const { principal, dnsName, subject, tls, sni, peer, remote, claims } = options;
  const fingerprint = options.fingerprint === undefined ? undefined : normalFingerprint(options.fingerprint);
  const address = { address: peer, remoteAddress: remote };
  return said({ principal, dnsName, subject, fingerprint, tls, sni, claims: claimsOf(claims), ...address });
}

function httpOf({ method, host, path, header, http2 }: RequestOptions): HttpDescription {
  return said({ method, host, path, headers: header, protocol: http2 === true ? ("HTTP/2" as const) : undefined });
}

type Said<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what was not said. */
function said<T extends object>(values: T): Said<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Said<T>;
}

async function readDescription(file: string, input: Input): Promise<RequestDescription> {
  const { yaml, faults } = readYamlFully(await readText(file, input));
  if (yaml === undefined)
    throw new UsageFault(faults.map((f) => `${file}:${f.line}:${f.column}: ${f.message}`).join("\n"));
  const shape = checkShape(yaml.value ?? {}, requestSchema);
  if (shape.length === 0) return (yaml.value ?? {}) as RequestDescription;
  throw new UsageFault(
    shape
      .map((fault) => {
        const { line, column } = fault.at === "key" ? yaml.placeOfKey(fault.path) : yaml.placeOf(fault.path);
        return `${file}:${line}:${column}: ${fault.message}${fault.help === undefined ? "" : ` (${fault.help})`}`;
      })
      .join("\n"),
  );
}

async function readText(file: string, { readInput }: Input): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(file === "-" ? await readInput() : await readFile(file));
  } catch (cause) {
    throw new UsageFault(`\`${file}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
}
