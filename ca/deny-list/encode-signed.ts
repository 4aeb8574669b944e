import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SignedDenyList } from "./contract.ts";

/** Numbers of the message's fields. */
export const signedFields = { payload: 1, signature: 2, certificate: 3 } as const;

/**
 * The bytes of a signed list, a protobuf message:
 *
 *     message DenyList {
 *       bytes payload = 1;
 *       bytes signature = 2;
 *       repeated bytes certificate = 3;
 *     }
 */
export function encodeSignedDenyList({ payload, signature, chainDer }: SignedDenyList): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(signedFields.payload, WireType.LengthDelimited).bytes(payload);
  writer.tag(signedFields.signature, WireType.LengthDelimited).bytes(signature);
  for (const der of chainDer) writer.tag(signedFields.certificate, WireType.LengthDelimited).bytes(der);
  return writer.finish();
}
