import { CodedError } from "#platform/coded-error";

/** The parts of a policy bundle, as bytes of which nothing was verified yet. */
export interface BundleParts {
  /** Undefined: nobody has signed it. */
  readonly signature: Uint8Array | undefined;
  /** The line of the manifest, without its line break. */
  readonly manifest: Uint8Array;
  /** The compiled rules. */
  readonly rules: Uint8Array;
}

const head = Buffer.from("garita-bundle-1\n");
const unsigned = "unsigned";
const lineBreak = 0x0a;
const signatureBytes = 64;
/** A line ends by then, or the bytes are no bundle. */
const longestLineBytes = 8 * 1024;

/**
 * A policy bundle: the line `garita-bundle-1`, the line of the signature (base64, or `unsigned`), the line of the manifest, the rules. Equal parts are equal
 * bytes.
 */
export function joinBundle({ signature, manifest, rules }: BundleParts): Uint8Array {
  const signed = signature === undefined ? unsigned : Buffer.from(signature).toString("base64");
  const bytes = Buffer.concat([head, Buffer.from(`${signed}\n`), manifest, Buffer.from([lineBreak]), rules]);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The parts of what `joinBundle` wrote; they are views of `bytes`. Fails with `bundle/damaged`. */
export function splitBundle(bytes: Uint8Array): BundleParts {
  if (!head.equals(bytes.subarray(0, head.length))) throw new CodedError("bundle/damaged", "this is no policy bundle");
  const signature = lineAt(bytes, head.length);
  const manifest = lineAt(bytes, head.length + signature.length + 1);
  return {
    signature: decodeSignature(Buffer.from(signature).toString("latin1")),
    manifest,
    rules: bytes.subarray(head.length + signature.length + manifest.length + 2),
  };
}

function lineAt(bytes: Uint8Array, start: number): Uint8Array {
  const length = bytes.subarray(start, start + longestLineBytes).indexOf(lineBreak);
  if (length === -1)
    throw new CodedError("bundle/damaged", "the policy bundle breaks off, or a line of it is too long");
  return bytes.subarray(start, start + length);
}

function decodeSignature(line: string): Uint8Array | undefined {
  if (line === unsigned) return undefined;
  const signature = Buffer.from(line, "base64");
  if (signature.length !== signatureBytes || signature.toString("base64") !== line)
    throw new CodedError("bundle/damaged", "the signature of the policy bundle is none");
  return signature;
}
