import type { Certificate, Read } from "#ca/x509/contract";
import { readPemBlocks } from "#ca/x509/pem";
import { readCertificate } from "#ca/x509/read-certificate";

const limits = { sizeCharacters: 1024 * 1024, blocks: 512 };

/**
 * The certificates of a PEM text, at least one, in their order. Nothing of them is judged: whether they are authorities is for those who trust them. Text
 * between the blocks is passed over. At most 1 MiB and 512 certificates; never throws.
 */
export function parsePemBundle(text: string): Read<readonly Certificate[]> {
  const blocks = readPemBlocks(text, "CERTIFICATE", limits);
  if (!blocks.ok) return blocks;
  const certificates: Certificate[] = [];
  for (const [i, der] of blocks.value.entries()) {
    const read = readCertificate(der);
    if (!read.ok) return { ok: false, fault: { message: `certificate ${i + 1}: ${read.fault.message}` } };
    certificates.push(read.value);
  }
  return { ok: true, value: certificates };
}
