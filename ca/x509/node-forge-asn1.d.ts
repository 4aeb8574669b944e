/** The one module of node-forge that is used, by itself: the package's entry loads keys, TLS and everything else. Only what is called is declared. */
declare module "node-forge/lib/asn1.js" {
  export interface Asn1 {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    readonly value: string | readonly Asn1[];
  }
  export interface ByteStringBuffer {
    getBytes(): string;
  }
  /** `maxDepth`: how many elements may stand inside each other. Throws. */
  export function fromDer(
    bytes: string,
    options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean; maxDepth: number },
  ): Asn1;
  export function create(tagClass: number, type: number, constructed: boolean, value: string | readonly Asn1[]): Asn1;
  export function toDer(element: Asn1): ByteStringBuffer;
  export function oidToDer(dotted: string): ByteStringBuffer;
  export function derToOid(content: string): string;
}
