import { createHash } from "node:crypto";

const sha256Info = "3031300d060960864801650304020105000420";
const sha256InfoWithoutNull = "302f300b06096086480165030402010420";
const sha1Info = "3021300906052b0e03021a05000414";

/** Encoded messages of 2048 bits for SHA-256 as PKCS #1 v1.5 has them (RFC 8017 §9.2), and as it has not. */
export function* emsaPkcs1(text: string): Generator<readonly [string, Buffer]> {
  const digest = createHash("sha256").update(text).digest();
  const info = Buffer.from(sha256Info, "hex");
  const encoded = (head: readonly number[], tail: Buffer, filler = 0xff) =>
    Buffer.concat([
      Buffer.from(head),
      Buffer.alloc(256 - head.length - tail.length - 1, filler),
      Buffer.alloc(1),
      tail,
    ]);
  const good = Buffer.concat([info, digest]);
  yield ["PKCS #1 made by hand", encoded([0, 1], good)];
  yield ["PKCS #1 of type 2", encoded([0, 2], good)];
  yield ["PKCS #1 of type 0", encoded([0, 0], good)];
  yield ["PKCS #1 filled with other bytes", encoded([0, 1], good, 0xfe)];
  yield ["PKCS #1 filled with zeros", encoded([0, 1], good, 0)];
  yield ["PKCS #1 without the digest's name", encoded([0, 1], digest)];
  yield [
    "PKCS #1 without NULL behind the digest's name",
    encoded([0, 1], Buffer.concat([Buffer.from(sha256InfoWithoutNull, "hex"), digest])),
  ];
  yield [
    "PKCS #1 with another digest's name",
    encoded([0, 1], Buffer.concat([Buffer.from(sha1Info, "hex"), digest.subarray(0, 20)])),
  ];
  yield ["PKCS #1 with a digest cut short", encoded([0, 1], good.subarray(0, -1))];
  yield ["PKCS #1 with a byte behind the digest", encoded([0, 1], Buffer.concat([good, Buffer.alloc(1)]))];
  const longLength = Buffer.from(`308131${sha256Info.slice(4)}`, "hex");
  yield ["PKCS #1 with a length in two bytes", encoded([0, 1], Buffer.concat([longLength, digest]))];
  const early = Buffer.concat([Buffer.from([0, 1, ...Array(8).fill(0xff), 0]), good]);
  yield [
    "PKCS #1 with the digest early and rubbish behind",
    Buffer.concat([early, Buffer.alloc(256 - early.length, 7)]),
  ];
}

/** Encoded messages for SHA-256 as PSS has them (RFC 8017 §9.1.1), and as it has not. */
export function* emsaPss(text: string, modulusBits: number): Generator<readonly [string, Buffer]> {
  const digest = createHash("sha256").update(text).digest();
  const salt = Buffer.alloc(32, 9);
  const encode = (options: { mask?: string; trailer?: number; separator?: number; padding?: number }) => {
    const hash = createHash("sha256")
      .update(Buffer.concat([Buffer.alloc(8), digest, salt]))
      .digest();
    const length = modulusBits / 8;
    const block = Buffer.concat([
      Buffer.alloc(length - salt.length - hash.length - 2, options.padding ?? 0),
      Buffer.from([options.separator ?? 1]),
      salt,
    ]);
    const mask = mgf1(options.mask ?? "sha256", hash, block.length);
    const masked = Buffer.from(block.map((byte, i) => byte ^ mask[i]!));
    masked[0]! &= 0x7f;
    return Buffer.concat([masked, hash, Buffer.from([options.trailer ?? 0xbc])]);
  };
  yield ["PSS made by hand", encode({})];
  yield ["PSS with a mask of SHA-1", encode({ mask: "sha1" })];
  yield ["PSS with a mask of SHA-512", encode({ mask: "sha512" })];
  yield ["PSS with another trailer", encode({ trailer: 0xcc })];
  yield ["PSS with another separator", encode({ separator: 2 })];
  yield ["PSS with padding that is not zero", encode({ padding: 1 })];
}

function mgf1(hash: string, seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; Buffer.concat(blocks).length < length; i++) {
    blocks.push(
      createHash(hash)
        .update(Buffer.concat([seed, Buffer.from([0, 0, 0, i])]))
        .digest(),
    );
  }
  return Buffer.concat(blocks).subarray(0, length);
}
