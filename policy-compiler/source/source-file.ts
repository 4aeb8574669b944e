/** One file of a policy folder. `path` is relative to the folder, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface CompileOptions {
  /** Unknown fields are dropped with a note, as Istio's file loader does. */
  readonly istioLax?: boolean;
}
