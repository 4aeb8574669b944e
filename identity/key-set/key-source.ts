/** Where the keys of an issuer come from. `id` is equal for equal sources. */
export type KeySource =
  /** Written in the policy itself. */
  | {
      readonly kind: "inline";
      readonly id: string;
      readonly text: string;
      /** For people: the rule that holds it. */
      readonly name?: string;
    }
  | { readonly kind: "uri"; readonly id: string; readonly uri: string; readonly timeoutMillis: number | undefined }
  /** OpenID Connect Discovery 1.0 §4: `<issuer>/.well-known/openid-configuration`, member `jwks_uri`. */
  | {
      readonly kind: "discovery";
      readonly id: string;
      /** Without its one trailing `/`, if it has one. */
      readonly issuer: string;
      readonly timeoutMillis: number | undefined;
    };
