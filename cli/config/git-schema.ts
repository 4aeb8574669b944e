import { gitDefaults } from "./git-defaults.ts";
import { type ConfigSchema, flag, integer, object, text } from "./schema-parts.ts";
import { stalenessProperties } from "./staleness-keys.ts";
import { tlsSchema } from "./tls-schema.ts";

/** `policies.git`. */
export const gitSchema: ConfigSchema = object(
  "Policies in a Git repository: a push is in force after the next poll or `garita sync`, a commit with an error changes nothing ([git.md](git.md)).",
  {
    url: text(
      "The repository: `https://`, `ssh://`, `user@host:path`, `file://` or an absolute path. `http://` and `git://` beyond this machine only with `signatures`.",
      { examples: ["https://git.example.org/policies.git", "git@git.example.org:policies.git"] },
    ),
    branch: text(
      "The branch that is in force. With neither this nor `tag`: the one that the repository calls its own.",
    ),
    tag: text("A tag instead; one that is moved is a rewritten history."),
    path: text("The policy folder inside the repository. Unset: the whole repository."),
    folder: text(
      "A folder of this machine (mode 0700) for the mirror and the rules that were last in force. Services may share it.",
      { examples: ["/var/lib/garita/policies"] },
    ),
    pollSeconds: integer(
      "The repository is asked after so long, up to a tenth earlier or later; after failures twice as long each time, up to ten minutes.",
      1,
      86_400,
      gitDefaults.pollSeconds,
    ),
    timeoutSeconds: integer("A call of git ends after so long.", 1, 3600, gitDefaults.timeoutSeconds),
    maxMirrorBytes: integer("The mirror may become so large.", 1024 * 1024, 1024 ** 4, gitDefaults.maxMirrorBytes),
    sshKeyFile: text("The private key for ssh (mode 0600)."),
    knownHostsFile: text(
      "The host keys that are believed, as in `~/.ssh/known_hosts`. ssh needs it: no other is taken.",
    ),
    tokenFile: text("A file (mode 0600) with a token for https, read at each attempt."),
    username: text("The user that goes with the token. Many hosts look at the token alone.", {
      default: gitDefaults.username,
    }),
    caFile: text("PEM: the authority of the host, instead of the system's."),
    signatures: object("Whose commits are taken. Nothing of a commit is read before its signature was found good.", {
      mode: text("`head`: the newest commit is signed. `every`: each commit since the one in force is.", {
        enum: ["head", "every"],
        default: "head",
      }),
      allowedSignersFile: text("SSH keys, as `ssh-keygen` reads them (ALLOWED SIGNERS)."),
      openpgpKeysFile: text("OpenPGP public keys, as `gpg --export` writes them."),
    }),
    allowForced: flag("Take a history that was rewritten."),
    tests: text(
      "The `*_test.yaml` of the repository: not run, told on the status page when they fail, or a condition for the commit to come into force.",
      { enum: ["ignore", "report", "refuse"], default: gitDefaults.tests },
    ),
    webhook: object(
      "Where the repository's host says that something was pushed, so that no poll is waited for: `POST /github`, `/gitlab`, `/gitea` or `/forgejo`. It is only a hint: what comes into force is what is fetched.",
      {
        address: text("Where to listen, for webhooks alone. Beyond this machine it demands `tls`.", {
          examples: ["127.0.0.1:9195", "0.0.0.0:9443"],
        }),
        secretFile: text("A file (mode 0600) with the secret that the host signs with."),
        tls: tlsSchema,
      },
      { required: ["address", "secretFile"] },
    ),
    ...stalenessProperties("never"),
  },
  { required: ["url", "folder"] },
);
