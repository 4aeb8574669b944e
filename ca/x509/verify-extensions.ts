import type { Certificate, GeneralName, Read, WrittenExtension } from "./contract.ts";
import {
  type BasicConstraints,
  extensionOids,
  type KeyUsage,
  readAlternativeNames,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectKeyId,
} from "./read-extensions.ts";

/** Extensions of a certificate as a relying party needs them; undefined: absent. */
export interface KnownExtensions {
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: KeyUsage | undefined;
  /** Dotted. */
  readonly purposes: readonly string[] | undefined;
  readonly names: readonly GeneralName[];
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
  /** Not read yet: see `nameConstraintsFault`. */
  readonly nameConstraints: Uint8Array | undefined;
}

const NAME_CONSTRAINTS = "2.5.29.30";
const known: ReadonlySet<string> = new Set([...Object.values(extensionOids), NAME_CONSTRAINTS]);

/**
 * The extensions that path validation knows. Undefined when one of any kind is there twice, when one that is known cannot be read, and when one that is
 * not known is critical (RFC 5280 §4.2). Name constraints count as known: whoever calls must heed them, in a leaf by refusing it. Never throws.
 */
export function readKnownExtensions({ extensions }: Certificate): KnownExtensions | undefined {
  const found = new Map<string, WrittenExtension>();
  for (const extension of extensions) {
    if (found.has(extension.oid) || (extension.critical && !known.has(extension.oid))) return undefined;
    found.set(extension.oid, extension);
  }
  const value = <T>(oid: string, read: (value: Uint8Array) => Read<T>): Read<T | undefined> => {
    const extension = found.get(oid);
    return extension === undefined ? { ok: true, value: undefined } : read(extension.value);
  };
  const basicConstraints = value(extensionOids.basicConstraints, readBasicConstraints);
  const keyUsage = value(extensionOids.keyUsage, readKeyUsage);
  const purposes = value(extensionOids.extendedKeyUsage, readExtendedKeyUsage);
  const names = value(extensionOids.subjectAlternativeName, readAlternativeNames);
  const subjectKeyId = value(extensionOids.subjectKeyId, readSubjectKeyId);
  const authorityKeyId = value(extensionOids.authorityKeyId, readAuthorityKeyId);
  if (!basicConstraints.ok || !keyUsage.ok || !purposes.ok) return undefined;
  if (!names.ok || !subjectKeyId.ok || !authorityKeyId.ok) return undefined;
  return {
    basicConstraints: basicConstraints.value,
    keyUsage: keyUsage.value,
    purposes: purposes.value,
    names: names.value ?? [],
    subjectKeyId: subjectKeyId.value,
    authorityKeyId: authorityKeyId.value,
    nameConstraints: found.get(NAME_CONSTRAINTS)?.value,
  };
}
