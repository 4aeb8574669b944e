/** What a source of policies in Git is told. Paths of the file system are absolute. */
export interface GitSettings {
  readonly url: string;
  readonly reference: GitReference;
  /** The policy folder inside the repository, without slashes at its ends; empty: the whole. */
  readonly path: string;
  /** Holds the mirror and the last known good rules. Several services may share it. */
  readonly folder: string;
  readonly credentials: GitCredentials;
  /** One attempt's every call of git ends after so long. */
  readonly timeoutMillis: number;
  /** The mirror may become so large. */
  readonly maxMirrorBytes: number;
  readonly pollMillis: number;
  /** Take a history that was rewritten. */
  readonly allowForced: boolean;
  readonly signatures: SignatureSettings | undefined;
  /** The repository's own policy tests: not run, told, or a condition. */
  readonly tests: "ignore" | "report" | "refuse";
}

export type GitReference =
  | { readonly kind: "branch" | "tag"; readonly name: string }
  /** The branch that the repository's HEAD names. */
  | { readonly kind: "default" };

/** Files, never the secrets themselves. */
export interface GitCredentials {
  readonly sshKeyFile: string | undefined;
  readonly knownHostsFile: string | undefined;
  readonly tokenFile: string | undefined;
  /** Goes with the token; hosts that look at the token alone take any. */
  readonly username: string;
  /** PEM: the authority of the host, instead of the system's. */
  readonly caFile: string | undefined;
}

export interface SignatureSettings {
  /** Of the newest commit, or of every commit since the one in force. */
  readonly mode: "head" | "every";
  /** As `ssh-keygen` reads it (ALLOWED SIGNERS). */
  readonly allowedSignersFile: string | undefined;
  /** OpenPGP public keys. */
  readonly openpgpKeysFile: string | undefined;
}

/** A commit, for people and records; or the word for it that a policy bundle has. */
export interface Revision {
  /** Its whole name, hexadecimal; of a bundle: whatever its author called it. */
  readonly commit: string;
  /** These two are a commit's; one that was refused before it was read has neither. */
  readonly subject?: string;
  readonly author?: string;
  /** Whose signature was found good; undefined: none was asked for. */
  readonly signer: string | undefined;
  /** When a bundle was built. */
  readonly builtMillis?: number;
  /** From when on a bundle is too old, however often it is found to be the newest. */
  readonly expiresMillis?: number;
}

/** `refs/heads/main`, as git names it. */
export function fullReference(reference: GitReference): string {
  if (reference.kind === "default") return "HEAD";
  return `refs/${reference.kind === "branch" ? "heads" : "tags"}/${reference.name}`;
}
