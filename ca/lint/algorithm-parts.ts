import { childrenOf, contentOf, type DerElement, dottedOid, elementBytes, wholeElement } from "./der-element.ts";

/** An AlgorithmIdentifier. */
export interface AlgorithmParts {
  readonly oid: string;
  /** The whole element; undefined: none. */
  readonly parameters: Uint8Array | undefined;
}

/** RFC 5280 §4.1.1.2. Undefined: of another form. */
export function algorithmParts(algorithmDer: Uint8Array): AlgorithmParts | undefined {
  const element = wholeElement(algorithmDer);
  return element === undefined ? undefined : partsOf(element);
}

export interface KeyParts extends AlgorithmParts {
  /** Content of the BIT STRING, without the number of unused bits. */
  readonly keyBits: Uint8Array;
}

/** A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), of whatever algorithm. Undefined: of another form. */
export function keyParts(spkiDer: Uint8Array): KeyParts | undefined {
  const spki = wholeElement(spkiDer);
  const [algorithm, key, ...more] = (spki?.tag === 0x30 ? childrenOf(spki) : undefined) ?? [];
  if (algorithm === undefined || key?.tag !== 0x03 || key.contentStart === key.end || more.length > 0) return undefined;
  const parts = partsOf(algorithm);
  return parts === undefined ? undefined : { ...parts, keyBits: contentOf(key).subarray(1) };
}

function partsOf(element: DerElement): AlgorithmParts | undefined {
  const [type, parameters, ...more] = (element.tag === 0x30 ? childrenOf(element) : undefined) ?? [];
  if (type?.tag !== 0x06 || more.length > 0) return undefined;
  const oid = dottedOid(contentOf(type));
  if (oid === undefined) return undefined;
  return { oid, parameters: parameters === undefined ? undefined : elementBytes(parameters) };
}
