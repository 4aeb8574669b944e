import { printable } from "#policy-compiler/source/render";
import { type AnswerFields, fieldsOf, labelled, revisionText } from "./answer-fields.ts";

/** How many errors of a refused set are told. */
const toldErrors = 20;

/** The status page of a running service, for a terminal: what it decides by, whether that is the newest, and what an operator should look at. */
export function renderStatus(page: object): string {
  const fields = fieldsOf(page);
  const lines = [
    ...serviceLines(fields),
    ...inForceLines(fields),
    ...refusedLines(fields),
    ...sourceLines(fields),
    ...fields.list("listeners").map(listenerText),
    ...fields.texts("warnings").map((warning) => `warning: ${warning}`),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

function serviceLines(fields: AnswerFields): readonly string[] {
  const configuration = fields.text("configuration.file");
  const loaded = fields.time("configuration.loadedMillis");
  return [
    `garita ${fields.text("version") ?? "?"}, started ${fields.time("startedMillis") ?? "?"}${fields.flag("ending") === true ? ", ending" : ""}`,
    ...labelled("configuration", configuration && `${configuration}, in force since ${loaded ?? "?"}`),
    `policies: ${standingText(fields)}`,
  ];
}

function standingText(fields: AnswerFields): string {
  if (!fields.has("rules.active")) return "none, every request is denied";
  const ready = fields.flag("rules.ready") === true ? "" : ", too old to be ready";
  if (fields.flag("rules.current") === true) return `the newest${ready}`;
  const since = fields.time("rules.degraded.sinceMillis");
  const code = fields.text("rules.degraded.code");
  return `degraded${since === undefined ? "" : ` since ${since}`}${code === undefined ? "" : ` [${code}]`}${ready}`;
}

const counted: readonly (readonly [field: string, one: string, many: string])[] = [
  ["policies", "AuthorizationPolicy", "AuthorizationPolicies"],
  ["rules", "rule", "rules"],
  ["requestAuthentications", "RequestAuthentication", "RequestAuthentications"],
  ["peerAuthentications", "PeerAuthentication", "PeerAuthentications"],
  ["workloads", "workload", "workloads"],
  ["registrations", "registration", "registrations"],
];

function inForceLines(fields: AnswerFields): readonly string[] {
  if (!fields.has("rules.active")) return [];
  const at = "rules.active.";
  const counts = counted.flatMap(([field, one, many]) => {
    const count = fields.count(`${at}counts.${field}`) ?? 0;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  const [tests = 0, failed = 0] = [fields.count(`${at}tests.run`), fields.count(`${at}tests.failed`)];
  return [
    ...labelled("in force", revisionText(fields, `${at}revision.`)),
    ...labelled("signed by", fields.text(`${at}revision.signer`)),
    ...labelled("expires", fields.time(`${at}revision.expiresMillis`)),
    ...labelled("pinned until", fields.time("rules.pinned.untilMillis")),
    ...labelled("digest", fields.text(`${at}digest`)),
    // Not the commit: another one with the same rules may have come later.
    ...labelled("these rules since", fields.time(`${at}sinceMillis`)),
    `holds: ${counts.length === 0 ? "nothing" : counts.join(", ")}`,
    ...labelled("policy tests", tests === 0 ? undefined : `${tests} run, ${failed} failed`),
  ];
}

function refusedLines(fields: AnswerFields): readonly string[] {
  const at = "rules.candidate.";
  const errors = fields.list(`${at}diagnostics`).filter((each) => each.text("severity") === "error");
  const told = errors.slice(0, toldErrors).flatMap(errorText);
  // A folder has no revisions.
  const refused = revisionText(fields, `${at}revision.`) ?? (told.length === 0 ? undefined : "what was read last");
  return [
    ...labelled("refused", refused),
    ...told,
    ...(errors.length > toldErrors ? [`  more are told by \`--format json\``] : []),
  ];
}

function errorText(error: AnswerFields): readonly string[] {
  const told = [error.text("file"), error.count("start.line"), error.count("start.column"), error.text("message")];
  return told.includes(undefined) ? [] : [`  ${told.slice(0, 3).join(":")}: ${told[3]} [${error.text("code") ?? "?"}]`];
}

function sourceLines(fields: AnswerFields): readonly string[] {
  const moments = [
    ["asked", fields.time("rules.lastAttemptMillis")],
    ["found the newest", fields.time("rules.lastSuccessMillis")],
    ["next", fields.time("rules.nextAttemptMillis")],
  ].flatMap(([what, moment]) => (moment === undefined ? [] : [`${what} ${moment}`]));
  const source = fields.text("rules.source");
  return labelled("source", source && [source, ...moments].join(", "));
}

function listenerText(listener: AnswerFields): string {
  const [name, protocol, address] = ["name", "protocol", "address"].map((field) => listener.text(field) ?? "?");
  const ends = listener.time("certificateNotAfterMillis");
  return `listener ${name}: ${protocol} at ${address}${ends === undefined ? "" : `, certificate until ${ends}`}`;
}
