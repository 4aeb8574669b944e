/** The extensions that the profiles have (RFC 5280 §4.2.1), and name constraints, which an issuer from elsewhere may have. */
export const extensionOids = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

const names: ReadonlyMap<string, string> = new Map([
  [extensionOids.subjectKeyId, "subject key identifier"],
  [extensionOids.keyUsage, "key usage"],
  [extensionOids.subjectAltName, "subject alternative name"],
  [extensionOids.basicConstraints, "basic constraints"],
  [extensionOids.nameConstraints, "name constraints"],
  [extensionOids.authorityKeyId, "authority key identifier"],
  [extensionOids.extendedKeyUsage, "extended key usage"],
]);

/** For messages: the extension's name, or its dotted identifier. */
export function extensionName(oid: string): string {
  return names.get(oid) ?? oid;
}
