/** Bytes of DER: a tag, a length, what is in it. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const hex = (text: string) => Buffer.from(text, "hex");
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const integer = (bytes: Uint8Array) => der(0x02, bytes);

export const rsaAlgorithm = sequence(hex("06092a864886f70d010101"), hex("0500"));
const sha256WithRsa = sequence(hex("06092a864886f70d01010b"), hex("0500"));
const name = sequence(der(0x31, sequence(hex("0603550403"), der(0x0c, Buffer.from("test")))));
const validity = sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("400101000000Z")));
const basicConstraints = sequence(hex("0603551d13"), hex("0101ff"), der(0x04, hex("30030101ff")));

export function rsaPublicKey(n: Uint8Array, e: Uint8Array): Buffer {
  return sequence(integer(Buffer.concat([Buffer.alloc(1), n])), integer(e));
}

export interface CertificateParts {
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly algorithm?: Uint8Array;
  readonly key: Uint8Array;
  readonly trailing?: readonly Uint8Array[];
  readonly signature?: Uint8Array;
}

export const extensions = der(0xa3, sequence(basicConstraints));
export const versionThree = der(0xa0, integer(hex("02")));

/** A certificate that nobody signed. */
export function certificate(parts: CertificateParts): Buffer {
  const info = sequence(parts.algorithm ?? rsaAlgorithm, der(0x03, Buffer.alloc(1), parts.key));
  const body = sequence(
    parts.version ?? versionThree,
    integer(parts.serial ?? hex("01")),
    sha256WithRsa,
    name,
    parts.validity ?? validity,
    name,
    info,
    ...(parts.trailing ?? [extensions]),
  );
  return sequence(body, sha256WithRsa, parts.signature ?? der(0x03, Buffer.alloc(257)));
}

/** Lines of 64, as PEM has them (RFC 7468 §3). */
export function pemOf(bytes: Uint8Array, lineEnd = "\n"): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join(lineEnd)}\n-----END CERTIFICATE-----\n`;
}
