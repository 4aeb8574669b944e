import type { GeneralName, Read } from "#ca/x509/contract";
import { type DerNode, oidOf } from "#ca/x509/der";
import { attributesOf, nameFault } from "#ca/x509/name";
import { readExtensionList } from "#ca/x509/read-certificate";
import { extensionOids, readAlternativeNames } from "#ca/x509/read-extensions";
import type { CsrNames } from "./contract.ts";
import { csrLimits } from "./limits.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";

/**
 * What a request asks to be called: from its subject and from the `extensionRequest` among its attributes (RFC 2985 §5.4.2). Other attributes are only
 * looked at for their shape. The same attribute or extension twice is a fault, and so is a default that is written out: neither is DER of one meaning.
 */
export function readCsrNames(subject: DerNode, attributes: DerNode): Read<CsrNames> {
  const badSubject = nameFault(subject);
  if (badSubject !== undefined) return { ok: false, fault: badSubject };
  const requested = requestedExtensions(attributes);
  if (!requested.ok) return requested;

  let alternativeNames: readonly GeneralName[] = [];
  const otherExtensions: string[] = [];
  if (requested.value !== undefined) {
    const extensions = readExtensionList(requested.value);
    if (!extensions.ok) return extensions;
    const seen = new Set<string>();
    for (const { oid, value, defaultWritten } of extensions.value) {
      if (seen.has(oid)) return failed(`the extension ${oid} stands there twice`, requested.value);
      if (defaultWritten)
        return failed(`the extension ${oid} says that it is not critical, which is the default`, requested.value);
      seen.add(oid);
      if (oid !== extensionOids.subjectAlternativeName) {
        otherExtensions.push(oid);
        continue;
      }
      const names = readAlternativeNames(value);
      if (!names.ok) return names;
      if (names.value.some((name) => "value" in name && name.value.length > csrLimits.nameBytes))
        return failed(`a name has more than ${csrLimits.nameBytes} bytes`, requested.value);
      alternativeNames = names.value;
    }
  }

  const subjectAttributes = attributesOf(subject);
  const [only] = subjectAttributes;
  return {
    ok: true,
    value: {
      alternativeNames,
      commonNames: subjectAttributes.flatMap(({ oid, text }) =>
        oid === COMMON_NAME && text !== undefined ? [text] : [],
      ),
      // pilot-agent's subject is one organization with an empty PrintableString.
      subjectIsEmpty:
        only === undefined || (subjectAttributes.length === 1 && only.oid === ORGANIZATION && only.text === ""),
      otherExtensions,
    },
  };
}

/** The list inside the one `extensionRequest`; undefined when there is none. */
function requestedExtensions(attributes: DerNode): Read<DerNode | undefined> {
  let list: DerNode | undefined;
  const seen = new Set<string>();
  for (const attribute of attributes.parts) {
    const [type, values] = attribute.parts;
    const oid = type === undefined ? undefined : oidOf(type);
    if (attribute.tag !== SEQUENCE || attribute.parts.length !== 2 || oid === undefined || values?.tag !== SET)
      return failed("expected an attribute: type, and a SET of values", attribute);
    if (values.parts.length === 0) return failed(`the attribute ${oid} has no value`, attribute);
    if (seen.has(oid)) return failed(`the attribute ${oid} stands there twice`, attribute);
    seen.add(oid);
    if (oid !== EXTENSION_REQUEST) continue;
    if (values.parts.length !== 1) return failed("expected one list of requested extensions", attribute);
    list = values.parts[0]!;
  }
  return { ok: true, value: list };
}

function failed(message: string, node: DerNode) {
  return { ok: false, fault: { message, offset: node.start } } as const;
}
