import type { CertificateBody, GeneralName, WrittenExtension } from "#ca/x509/contract";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { type AlgorithmParts, algorithmParts, type KeyParts, keyParts } from "./algorithm-parts.ts";
import { extensionOids } from "./extension-oids.ts";
import {
  type AuthorityKeyId,
  type BasicConstraints,
  type KeyUsage,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectAltName,
  readSubjectKeyId,
} from "./read-extensions.ts";
import { type NameAttribute, readName } from "./read-name.ts";

/** Undefined in it: read, and found to be nothing that can be read. */
interface Reading<T> {
  readonly value: T | undefined;
}

/** Bodies are immutable, and one issuer's is asked about with every leaf. Not for leaves: what dies young is dear in a weak map. */
const issuers = new WeakMap<CertificateBody, LintSubject>();

/**
 * A body with what its extensions and names say. Each is read at most once, when a lint first asks. An extension that is absent and one that cannot be
 * read are both `undefined`: the lints of presence and of readability tell them apart, and the others say nothing.
 */
export class LintSubject {
  readonly body: CertificateBody;
  #keyUsage: Reading<KeyUsage> | undefined;
  #basicConstraints: Reading<BasicConstraints> | undefined;
  #extendedKeyUsage: Reading<readonly string[]> | undefined;
  #subjectAltName: Reading<readonly GeneralName[]> | undefined;
  #subjectKeyId: Reading<Uint8Array> | undefined;
  #authorityKeyId: Reading<AuthorityKeyId> | undefined;
  #subject: Reading<readonly NameAttribute[]> | undefined;
  #publicKey: Reading<SubjectPublicKey> | undefined;
  #keyParts: Reading<KeyParts> | undefined;
  #signatureAlgorithm: Reading<AlgorithmParts> | undefined;

  private constructor(body: CertificateBody) {
    this.body = body;
  }

  static of(body: CertificateBody): LintSubject {
    return new LintSubject(body);
  }

  /** For a body that many are compared with: the same one as long as the body lives. */
  static ofIssuer(body: CertificateBody): LintSubject {
    const known = issuers.get(body);
    if (known !== undefined) return known;
    const subject = new LintSubject(body);
    issuers.set(body, subject);
    return subject;
  }

  /** The first extension of this kind. */
  extension(oid: string): WrittenExtension | undefined {
    for (const extension of this.body.extensions) if (extension.oid === oid) return extension;
    return undefined;
  }

  get keyUsage(): KeyUsage | undefined {
    this.#keyUsage ??= this.#read(extensionOids.keyUsage, readKeyUsage);
    return this.#keyUsage.value;
  }

  get basicConstraints(): BasicConstraints | undefined {
    this.#basicConstraints ??= this.#read(extensionOids.basicConstraints, readBasicConstraints);
    return this.#basicConstraints.value;
  }

  get extendedKeyUsage(): readonly string[] | undefined {
    this.#extendedKeyUsage ??= this.#read(extensionOids.extendedKeyUsage, readExtendedKeyUsage);
    return this.#extendedKeyUsage.value;
  }

  get subjectAltName(): readonly GeneralName[] | undefined {
    this.#subjectAltName ??= this.#read(extensionOids.subjectAltName, readSubjectAltName);
    return this.#subjectAltName.value;
  }

  get subjectKeyId(): Uint8Array | undefined {
    this.#subjectKeyId ??= this.#read(extensionOids.subjectKeyId, readSubjectKeyId);
    return this.#subjectKeyId.value;
  }

  get authorityKeyId(): AuthorityKeyId | undefined {
    this.#authorityKeyId ??= this.#read(extensionOids.authorityKeyId, readAuthorityKeyId);
    return this.#authorityKeyId.value;
  }

  /** Attributes of the subject's name; undefined: it is no Name. */
  get subject(): readonly NameAttribute[] | undefined {
    this.#subject ??= { value: readName(this.body.subjectDer) };
    return this.#subject.value;
  }

  /** Undefined: the key is not in one of the five shapes. */
  get publicKey(): SubjectPublicKey | undefined {
    this.#publicKey ??= { value: SubjectPublicKey.of(this.body.spkiDer) };
    return this.#publicKey.value;
  }

  /** The key taken apart, whatever its shape. */
  get keyParts(): KeyParts | undefined {
    this.#keyParts ??= { value: keyParts(this.body.spkiDer) };
    return this.#keyParts.value;
  }

  get signatureAlgorithm(): AlgorithmParts | undefined {
    this.#signatureAlgorithm ??= { value: algorithmParts(this.body.signatureAlgorithmDer) };
    return this.#signatureAlgorithm.value;
  }

  /** URIs of the subject alternative name, in order; none where it is absent or cannot be read. */
  get uris(): readonly string[] {
    return this.#texts("uri");
  }

  /** Likewise DNS names. */
  get dnsNames(): readonly string[] {
    return this.#texts("dns");
  }

  #texts(kind: "uri" | "dns"): readonly string[] {
    return this.subjectAltName?.flatMap((name) => (name.kind === kind ? [name.value] : [])) ?? [];
  }

  #read<T>(oid: string, read: (value: Uint8Array) => T | undefined): Reading<T> {
    const extension = this.extension(oid);
    return { value: extension === undefined ? undefined : read(extension.value) };
  }
}
