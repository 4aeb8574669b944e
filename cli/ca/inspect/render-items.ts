import { readCertificate } from "#ca/x509/read-certificate";
import { momentText } from "../duration.ts";
import { fieldsText, type Paint } from "../paint.ts";
import { type DescribedCertificate, describeCertificate } from "./describe-certificate.ts";
import { type DescribedRequest, describeRequest } from "./describe-request.ts";
import type { FileItem } from "./read-items.ts";

/** What an item of a file is, for programs. */
export type DescribedItem =
  | DescribedCertificate
  | DescribedRequest
  | { readonly kind: "other"; readonly label: string }
  | { readonly kind: "unreadable"; readonly was: "certificate" | "request"; readonly message: string };

/** Tells of an item what its bytes say. */
export function describeItem(item: FileItem, nowMillis: number): DescribedItem {
  if (item.kind === "other") return item;
  if (item.kind === "request") {
    const read = describeRequest(item.der);
    if (read.ok) return read.value;
    return { kind: "unreadable", was: "request", message: `${read.fault.message} [${read.fault.code}]` };
  }
  const read = readCertificate(item.der);
  if (read.ok) return describeCertificate(read.value, nowMillis);
  const { message, offset } = read.fault;
  return {
    kind: "unreadable",
    was: "certificate",
    message: offset === undefined ? message : `${message} (byte ${offset})`,
  };
}

/** A certificate at a glance. */
export function certificateLines(der: Uint8Array, nowMillis: number, paint: Paint): string[] {
  return itemLines(describeItem({ kind: "certificate", der }, nowMillis), nowMillis, paint);
}

/** A described item for people. */
export function itemLines(item: DescribedItem, nowMillis: number, paint: Paint): string[] {
  switch (item.kind) {
    case "certificate":
      return certificateText(item, nowMillis, paint);
    case "request":
      return requestText(item, paint);
    case "other":
      return fieldsText([[item.label.toLowerCase(), "not looked at"]]);
    case "unreadable":
      return fieldsText([[item.was, `cannot be read: ${item.message}`, paint.bad]]);
  }
}

function certificateText(item: DescribedCertificate, nowMillis: number, paint: Paint): string[] {
  const moment = (text: string) => momentText(Date.parse(text), nowMillis);
  const others = item.names.filter((name) => name !== `URI:${item.spiffeId}`);
  const use = [...(item.extendedKeyUsage ?? []), ...(item.keyUsage ?? [])].join(", ");
  return fieldsText([
    ["certificate", `${item.role}${item.spiffeId === undefined ? "" : `  ${item.spiffeId}`}`],
    [
      "validity",
      `${item.state}, ${item.state === "not yet valid" ? `begins ${moment(item.notBefore)}` : `ends ${moment(item.notAfter)}`}`,
      item.state === "valid" ? paint.good : paint.bad,
    ],
    ["begins", item.state === "not yet valid" ? undefined : moment(item.notBefore)],
    ["names", others.length === 0 ? undefined : others.join(", ")],
    ["key", `${item.key.kind}, SHA-256 ${item.key.hash}`],
    ["subject", item.subject],
    ["issuer", item.issuer],
    ["serial", item.serial],
    ["signed with", item.signature],
    ["may", `${use || "anything"}${item.pathLength === undefined ? "" : `, ${item.pathLength} authorities below`}`],
    ["key id", item.subjectKeyId],
    ["issuer key id", item.authorityKeyId],
    ["SHA-256", item.fingerprint],
    ...item.odd.map((sentence) => ["odd", sentence, paint.odd] as const),
  ]);
}

function requestText(item: DescribedRequest, paint: Paint): string[] {
  const others = item.names.filter((name) => name !== `URI:${item.spiffeId}`);
  return fieldsText([
    ["request", item.spiffeId ?? "for no SPIFFE ID: the authority decides by the caller"],
    ["names", others.length === 0 ? undefined : others.join(", ")],
    ["common names", item.commonNames.length === 0 ? undefined : item.commonNames.join(", ")],
    ["key", `${item.key.kind}, SHA-256 ${item.key.hash}`],
    ["signed with", item.signature],
    [
      "proven",
      item.proven ? "signed by its own key" : "not signed by its own key",
      item.proven ? paint.good : paint.bad,
    ],
    ...item.odd.map((sentence) => ["odd", sentence, paint.odd] as const),
  ]);
}
