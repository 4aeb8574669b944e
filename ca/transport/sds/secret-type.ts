import { hash } from "node:crypto";
import type { SpiffeId } from "#identity/spiffe-id";
import type { Resource, ResourceType, ResourceView, StreamRefusal } from "#xds/contract";
import { type BundlePem, encodeKeySecret, encodeTrustSecret, type KeyPem, secretTypeUrl } from "./encode-secret.ts";
import { parseSecretName, type SecretName } from "./secret-name.ts";

/** A key as it is handed out. Immutable: another certificate is another one. */
export interface OwnKey extends KeyPem {
  /** SubjectPublicKeyInfo of the key, DER. */
  readonly publicKeyDer: Uint8Array;
}

export interface VersionedBundle extends BundlePem {
  /** See `bundleVersion`. */
  readonly version: string;
}

/** The bundles in force. Immutable: a change makes another one. */
export interface Bundles {
  readonly own: VersionedBundle;
  /** Of other trust domains, each once, and never of `own`'s. */
  readonly foreign: readonly VersionedBundle[];
}

/** What one caller may have. */
export interface SecretHolder {
  /** Its authenticated identity. */
  readonly id: SpiffeId;
  /** Undefined: there is none yet. The same object while nothing has changed. */
  bundles(): Bundles | undefined;
  /** The key of `id`; undefined: there is none, or none yet. The same object while nothing has changed. Asked only where the caller asks for it. */
  key(): OwnKey | undefined;
  /** See `ResourceView`. */
  ended(): StreamRefusal | undefined;
  /** See `ResourceView`. */
  subscribe(changed: () => void): () => void;
}

export interface SecretTypeParts<C> extends Pick<ResourceType<C>, "observe"> {
  readonly trustDomain: string;
  /** A refusal: the caller may have nothing. */
  readonly open: (caller: C) => SecretHolder | StreamRefusal;
}

/**
 * Secrets by the names of `secret-name.ts`: bundles, and to each caller the key of its own identity and no other. A key's version is the SHA-256 of chain and public key, that of one
 * bundle is `bundleVersion`; see `bundleVersionOf` for several. A wildcard stands for nothing: a secret is asked for by its name. Each secret is encoded once a content, for all callers.
 */
export function createSecretType<C>({ trustDomain, open, observe }: SecretTypeParts<C>): ResourceType<C> {
  const keys = new Encoded<OwnKey>();
  const bundles = new Encoded<Bundles>();
  const view = (holder: SecretHolder): ResourceView => ({
    lookUp(name) {
      const wanted = parseSecretName(name, trustDomain);
      if (wanted === undefined) return undefined;
      if (wanted.kind !== "key") {
        const inForce = holder.bundles();
        return inForce && bundles.of(inForce, name, () => trustResource(name, inForce, wanted));
      }
      // INVARIANT: the identity that was proven is the secret's, or there is no secret.
      if (wanted.id !== undefined && wanted.id.toString() !== holder.id.toString()) return undefined;
      const key = holder.key();
      return key && keys.of(key, name, () => keyResource(name, key));
    },
    wildcard: () => [],
    ended: () => holder.ended(),
    subscribe: (changed) => holder.subscribe(changed),
  });
  return {
    typeUrl: secretTypeUrl,
    open(caller) {
      const holder = open(caller);
      return "code" in holder ? holder : view(holder);
    },
    ...(observe === undefined ? {} : { observe }),
  };
}

/** The version of the own bundle in the version of a secret that holds bundles: `ALL` has those of the others behind a dot. */
export function bundleVersionOf(secretVersion: string): string {
  return secretVersion.split(".", 1)[0]!;
}

function keyResource(name: string, key: OwnKey): Resource {
  const digest = hash("sha256", Buffer.concat([Buffer.from(`${key.chainPem}\0`, "latin1"), key.publicKeyDer]), "hex");
  return { name, version: digest, body: encodeKeySecret(name, key) };
}

function trustResource(
  name: string,
  { own, foreign }: Bundles,
  wanted: Exclude<SecretName, { kind: "key" }>,
): Resource | undefined {
  if (wanted.kind === "all-bundles") {
    const others = foreign.map(({ trustDomain, version }) => `${trustDomain} ${version}\n`).toSorted();
    const behind = others.length === 0 ? "" : `.${hash("sha256", others.join(""), "hex")}`;
    return { name, version: `${own.version}${behind}`, body: encodeTrustSecret(name, [own, ...foreign]) };
  }
  const bundle = [own, ...foreign].find(({ trustDomain }) => trustDomain === wanted.trustDomain);
  return bundle && { name, version: bundle.version, body: encodeTrustSecret(name, [bundle]) };
}

/** What was made of a content, by the name under which it is handed out: few, for a content has few names. Forgotten with the content. */
class Encoded<T extends object> {
  readonly #resources = new WeakMap<T, Map<string, Resource>>();

  of(content: T, name: string, make: () => Resource | undefined): Resource | undefined {
    const named = this.#resources.get(content) ?? new Map<string, Resource>();
    this.#resources.set(content, named);
    const resource = named.get(name) ?? make();
    // INVARIANT: what names nothing is not kept, or a client could fill the memory with names.
    if (resource !== undefined) named.set(name, resource);
    return resource;
  }
}
