import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import { type KeyKind, keyKinds } from "#ca/x509/contract";
import { type CertificateParts, encodeTbs, extensions, keyIdOf, validParts } from "./certificate-parts.ts";
import * as d from "./der-builder.ts";

/** A key whose private half the tests have. */
export interface TestKey {
  readonly kind: KeyKind;
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

export type KeyRole = "root" | "issuing" | "leaf" | "other";
export type TestKeys = (kind: KeyKind, role: KeyRole) => TestKey;

const generate = promisify(generateKeyPair);

/** Keys for every kind and role, made at once: those of RSA take a second or two. */
export async function makeTestKeys(): Promise<TestKeys> {
  const made = new Map<string, TestKey>();
  const roles: readonly KeyRole[] = ["root", "issuing", "leaf", "other"];
  await Promise.all(
    keyKinds.flatMap((kind) =>
      roles.map(async (role) => {
        // Nobody needs four of the dear ones.
        if (kind.startsWith("RSA") && role === "other") return;
        const pair = kind.startsWith("RSA")
          ? await generate("rsa", { modulusLength: Number(kind.slice(4)) })
          : await generate("ec", { namedCurve: kind });
        const spki = new Uint8Array(pair.publicKey.export({ type: "spki", format: "der" }));
        made.set(`${kind} ${role}`, { kind, privateKey: pair.privateKey, spki });
      }),
    ),
  );
  return (kind, role) => {
    const key = made.get(`${kind} ${role}`);
    if (key === undefined) throw new Error(`no key ${kind} for ${role}`);
    return key;
  };
}

/** A certificate that was made, with what others are issued by. */
export interface Made {
  readonly der: Uint8Array;
  readonly parts: CertificateParts;
  readonly key: TestKey;
}

type Profile = "root" | "issuing" | "leaf";

/** What a certificate is made of: right for its profile, but for the changes. */
export interface Making {
  readonly profile: Profile;
  readonly key: TestKey;
  /** Undefined: itself. */
  readonly issuer: Made | undefined;
  readonly nowMillis: number;
  readonly changes?: Partial<CertificateParts>;
  readonly outerAlgorithm?: Uint8Array;
  readonly breakSignature?: boolean;
}

const hour = 3_600_000;

/** A certificate of a profile, right but for the changes, and signed by its issuer's key. */
export function makeCertificate(making: Making): Made {
  const { profile, key, issuer, nowMillis } = making;
  const signer = issuer?.key ?? key;
  const { parts: valid } = validParts(profile, key.kind, signer.kind);
  const age = { root: 48, issuing: 24, leaf: 1 }[profile] * hour;
  const parts: CertificateParts = {
    ...valid,
    serial: d.integer(d.joined(d.bytes(0x40), keyIdOf(key.spki).subarray(0, 15))),
    spki: key.spki,
    issuer: issuer?.parts.subject ?? valid.subject,
    notBefore: d.time(Math.floor((nowMillis - age) / 1000) * 1000),
    notAfter: d.time(Math.floor((nowMillis + age) / 1000) * 1000),
    subjectKeyId: [extensions.subjectKeyId(keyIdOf(key.spki))],
    authorityKeyId: issuer === undefined ? [] : [extensions.authorityKeyId(keyIdOf(issuer.key.spki))],
    ...making.changes,
  };
  const tbs = encodeTbs(parts);
  const signature = new Uint8Array(sign(signer.kind === "P-384" ? "sha384" : "sha256", tbs, signer.privateKey));
  if (making.breakSignature === true) signature[signature.length - 1]! ^= 1;
  return { der: d.sequence(tbs, making.outerAlgorithm ?? parts.algorithm, d.bits(signature)), parts, key };
}
