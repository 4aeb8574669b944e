import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { mostDenyListBytes } from "#identity/deny-list/encode-deny-list";
import type { SignedDenyList } from "./contract.ts";
import { signedFields } from "./encode-signed.ts";

/** The list, its signature, and a chain of eight certificates of 8 KiB. */
export const mostSignedBytes = mostDenyListBytes + 64 * 1024;
const mostCertificates = 8;

/** The parts of a signed list; undefined: it is none, has a field that is not known, or one twice. Nothing is verified. Never throws. */
export function decodeSignedDenyList(bytes: Uint8Array): SignedDenyList | undefined {
  if (bytes.length > mostSignedBytes) return undefined;
  try {
    return read(new BinaryReader(bytes));
  } catch {
    // The reader throws on bytes that are no message.
    return undefined;
  }
}

function read(reader: BinaryReader): SignedDenyList | undefined {
  let payload: Uint8Array | undefined;
  let signature: Uint8Array | undefined;
  const chainDer: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== WireType.LengthDelimited) return undefined;
    const value = reader.bytes();
    if (field === signedFields.payload && payload === undefined) payload = value;
    else if (field === signedFields.signature && signature === undefined) signature = value;
    else if (field === signedFields.certificate && chainDer.length < mostCertificates) chainDer.push(value);
    else return undefined;
  }
  return payload === undefined || signature === undefined ? undefined : { payload, signature, chainDer };
}
