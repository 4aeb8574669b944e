/** Every code of a failed operation, with what it means to an operator. `docs/faults.md` is written from it. */
export const faultCodes = {
  "listen/failed": "A socket cannot be opened: the address is in use, is not this machine's, or may not be used.",
  "secret/empty": "A file that should hold a secret or token holds none: it would let everybody in.",
  "secret/unreadable": "A file that should hold a secret or token cannot be read.",
  "secret/exposed":
    "A file that should hold a secret can be read by others than its owner, or belongs to somebody else.",
  "tls/unreadable": "A certificate, key or authority file cannot be read.",
  "tls/unusable": "A file holds no certificate, or certificate and key do not belong together.",
  "source/missing": "The policy folder is not there, or is no folder.",
  "source/unreadable": "The policy folder, a file in it, or a file of compiled rules cannot be read.",
  "source/escape": "A link in the policy folder leads out of it.",
  "source/too-large": "The policy folder holds more than is read: see limits.md.",
  "source/unstable": "The policy folder kept changing while it was read.",
  "source/compiler":
    "The compiler failed, or policy tests could not be run: a defect of ours. The rules in force stay.",
  "source/worker":
    "The thread that compiles ended before it had finished: it had no memory left, or had taken five minutes. Or git, or what verifies signatures, was killed.",
  "git/argument":
    "A URL, branch, tag, path or token of a repository that git could take for something else, or a transport that others could change policies on.",
  "git/missing": "`git`, or what verifies signatures (`ssh-keygen` or `gpg`), cannot be run.",
  "git/unreachable": "The repository cannot be asked: the host does not answer, or refuses the key or token.",
  "git/unknown-reference": "The repository has no such branch or tag.",
  "git/too-slow":
    "A call of git took longer than `timeoutSeconds`, or the signatures of commits longer than is waited for, and was ended.",
  "git/mirror":
    "The mirror is damaged, and was not mended by fetching anew, or its folder cannot be written: a full disk, or its permissions. Of `--as-of` and `diff`: the repository on this machine is damaged.",
  "git/locked": "Another service kept the folder of the mirror to itself for too long.",
  "git/path": "The commit has no such folder.",
  "git/entry": "The commit holds policies that cannot be read as files: a link, a submodule, a pointer of LFS.",
  "git/absent":
    "The server did not send a policy file of the commit: it is larger than a policy file can be, see limits.md. Of `--as-of` and `diff`: the repository on this machine lacks it.",
  "git/forced": "The branch's history was rewritten, which `allowForced` would take.",
  "git/signers": "The file of the signers whose commits are taken cannot be read or used.",
  "git/signature": "A commit is not signed by one of the signers. Nothing in it was read.",
  "git/pin":
    "A commit cannot be pinned: it is not of the branch's history, or policies do not live in Git; or the file of a pin is damaged.",
  "git/tests": "Policy tests of the commit fail. The rules in force stay.",
  "git/last-known-good": "The rules that were kept for a start without Git are damaged, and are not used.",
  "webhook/signature":
    "A webhook is not signed with the secret of `policies.git.webhook`, or is too old. Nothing was asked for it.",
  "webhook/request": "A request at the listener for webhooks is none: another path or method, or it is too large.",
  "bundle/keys":
    "The file of the keys that policy bundles are signed with, or whose bundles are taken, cannot be read or used.",
  "bundle/unreachable": "The policy bundle cannot be fetched: the message has the fault, see below.",
  "bundle/damaged": "The file is no policy bundle, breaks off, or was changed since it was built.",
  "bundle/signature":
    "The policy bundle is not signed, signed by a key that is not trusted here, or was changed since. Nothing in it was read.",
  "bundle/name": "The policy bundle is for somebody else.",
  "bundle/expired":
    "The policy bundle was built to be used until a time that is over (`garita build --valid-for`). Where it is in force already, `onStale` says what follows.",
  "bundle/older": "The policy bundle was built before the one in force, which `allowOlder` would take.",
  "bundle/ahead":
    "The policy bundle says it was built in the future: a clock is wrong. In force, it would have later bundles refused as older.",
  "bundle/last-known-good": "The policy bundle that was kept of the last run cannot be used.",
  "ruleset/damaged": "The bytes of compiled rules are damaged, or of another version.",
  "ruleset/unusable": "Compiled rules could not be put in force: a defect of ours. The rules in force stay.",
  "policy/invalid": "The policies have errors: see the diagnostics. The rules in force stay.",
  "output/unwritable": "A file that a command was asked to write cannot be written. Nothing was left behind.",
  "output/exists":
    "A file that a command was asked to write is there already. Nothing was changed: `--force` goes over it.",
  "service/unreachable": "The service that `--admin`, `--url` or the configuration names cannot be asked.",
  "service/answer": "What answered at the address that was named is not the API that was asked.",
  "service/root": "The service's root is not the one that the token names: nothing was told to it.",
  "admin/foreign-host": "A request to the admin API names another host than the address it came to.",
  "admin/foreign-origin": "A web page asked the admin API.",
  "admin/credential": "The admin API wants a bearer token or a client certificate.",
  "admin/closed": "This address of the admin API takes no writes.",
  "admin/not-found": "The admin API has nothing at this path.",
  "admin/request": "A request to the admin API is not as its schema says.",
  "admin/failed": "The admin API failed: a defect of ours.",
  "ca-token/identity":
    "A join token cannot be made for this identity: it is no workload's, or no registration gives it to a join token.",
  "ca-token/lifetime": "A join token cannot live so long: 1 second to 24 hours.",
  "ca-token/source": "What a join token is bound to is no address and no block of addresses, or there are too many.",
  "ca-revocation/target":
    "This cannot be revoked: it is no workload's identity in the authority's trust domain, no SHA-256 of a certificate, or it is the authority's own.",
  "ca-revocation/unknown":
    "No certificate with this serial was handed out: without its fingerprint it could not stand on the deny list.",
  "ca-revocation/full":
    "The deny list has as many members as can be sent: nothing more can be revoked until certificates on it have ended.",
  "ca-revocation/reason": "The reason of a revocation is not one line of 1 to 500 characters.",
  "deny-list/unreadable": "What was sent or kept as a deny list is none. The list in force stays.",
  "deny-list/other-domain": "A deny list is that of another trust domain. The list in force stays.",
  "deny-list/signer":
    "A deny list is signed by somebody else than the authority of the trust domain, or by a certificate that is not valid. The list in force stays.",
  "deny-list/signature": "A deny list was changed after it was signed. The list in force stays.",
  "deny-list/older": "A deny list is older than the one in force, which stays.",
  "deny-list/state-file": "The file of the last good deny list cannot be read or written. The list in force stays.",
  "deny-list/files":
    "A service that follows the deny list of an authority elsewhere cannot use its bundle, certificate or key. It goes on with what it had.",
  "ca-key/no-encryption-key":
    "The certificate authority has no key-encryption key: its private keys can be neither kept nor opened.",
  "ca-key/encryption-key-ambiguous": "The key-encryption key is given by a file and by the environment at once.",
  "ca-key/encryption-key-short": "The key-encryption key has less than 16 bytes.",
  "ca-key/wrong-encryption-key": "A private key of the authority was encrypted under another key-encryption key.",
  "ca-key/damaged": "The encrypted private key of an authority is damaged, or belongs to another record.",
  "ca-key/unknown-version": "A private key was encrypted by a newer version.",
  "ca-authority/other-domain": "The store holds the authority of another trust domain than `ca.trustDomain`.",
  "ca-issuer/keys":
    "A file with the keys of an issuer of callers' tokens cannot be read, or holds no key that can be used. Those in force stay.",
  "ca-server/names": "`ca.serverNames` holds something that is neither a DNS name nor an address, or nothing.",
  "ca-server/certificate":
    "The certificate authority cannot give itself a server certificate: its issuing authority has ended, above all.",
  "ca-key/blocked-list": "The list of keys that get no certificate cannot be read, or has a line that is no SHA-256.",
  "ca-authority/lint":
    "A certificate of the authority itself was refused by the lints: an imported issuer may be the reason.",
  "ca-authority/lifetime": "The configured lifetime of an issuing authority is less than 24 hours.",
  "ca-authority/root-expiring": "The root ends too soon for another issuing authority.",
  "ca-authority/self-test": "A new issuing authority failed its self-test, and was not put in force.",
  "ca-authority/damaged":
    "What is kept of an authority is damaged: its certificate, its key id, or the path to its root.",
  "ca-authority/key-mismatch": "A private key that is kept does not belong to the certificate beside it.",
  "ca-authority/two-active": "Two issuing authorities, or two audit keys, are active at once.",
  "ca-authority/exists": "There is an authority already.",
  "ca-authority/none": "There is no authority yet: `garita ca init` makes one.",
  "ca-authority/root-key-elsewhere":
    "The private key of the root is not here: issuing authorities are signed where it is.",
  "ca-authority/self-signed": "The root signs leaves itself: it cannot be replaced like an issuing authority.",
  "ca-rotation/none": "No root is on its way, or there is nothing that could be forced.",
  "ca-rotation/too-late": "The new root is in force: it cannot be withdrawn any more, but replaced.",
  "ca-rotation/not-waited-for": "An identity was to be passed over that does not hold up the new root.",
  "ca-rotation/confirmation":
    "What was typed is not what the plan asks for, or the plan is another by now: look at it again.",
  "ca-rotation/root": "The root that was named cannot be removed: it is in force, on its way, gone, or none.",
  "ca-import/none": "A folder that should hold an authority holds neither Istio's nor Kubernetes' files.",
  "ca-import/incomplete":
    "A folder that should hold an authority holds only some of the files, or those of both forms.",
  "ca-import/unreadable": "A file of an authority to be imported cannot be read, or holds no certificates.",
  "ca-import/key":
    "The private key of an authority to be imported cannot be read, is encrypted, or is of a kind that is not taken.",
  "ca-import/key-mismatch": "The private key of an authority to be imported does not belong to its certificate.",
  "ca-import/chain": "The certificates of an authority to be imported do not lead to one of the roots.",
  "ca-import/not-authority": "A certificate that is to be imported may not sign the certificates of workloads.",
  "ca-import/subject":
    "Two authorities that are to be imported share a subject: several libraries cannot find their way then.",
  "ca-import/expired": "An authority to be imported has ended, ends too soon, or has not begun.",
  "door/plain-text": "A door that credentials come to, without TLS, would be reached by other machines.",
  "ca-door/authorization": "A request to the authority brought several authorizations, or one that is no bearer token.",
  "ca-door/role": "The caller is no administrator of the authority, or an auditor who asked for a change.",
  "ca-store/locked": "Another program has the authority's database open: one service uses it at a time.",
  "ca-store/permissions":
    "The authority's database, or its folder, may be read or written by others: the message has the command that mends it.",
  "ca-store/newer": "The authority's database was written by a newer version of Garita: run that one.",
  "ca-store/damaged":
    "The authority's database, its head file or a backup is no such file, or is damaged: bring back a backup with `garita ca restore`.",
  "ca-store/rolled-back":
    "The authority's log is shorter than its signed head says, or another: an older copy was put in place. `garita ca restore` does it properly.",
  "ca-store/full": "No room is left for the authority's database: nothing is issued until there is.",
  "ca-store/unavailable":
    "The authority's database cannot be read or written now; where its thread died it is started again.",
  "ca-store/busy": "More calls wait for the authority's database than it can take.",
  "ca-store/no-intent": "An issuance was to be completed or abandoned that is not under way.",
  "ca-store/conflict": "An authority was to change its state, and had changed it already: another replica was first.",
  "ca-store/unknown": "A serial or an authority was named that the authority's store does not have.",
  "ca-store/exists": "A join token, an authority or a backup file is there already.",
  "ca-store/backup-failed": "A backup cannot be written. Nothing was left behind.",
  "ca-store/chain-broken": "The audit log of a backup was changed, or parts of it are missing: it is not brought back.",
  "agent/state": "The agent's state folder cannot be used, read or written. What is served stays.",
  "agent/attestation": "The agent has no certificate, and no token to show instead.",
  "agent/root":
    "The authority's root is not the one that the join token or the configuration names: nothing was told to it.",
  "agent/unreachable": "The agent cannot ask the authority: nobody answers, or the answer is not from the authority.",
  "agent/refused": "The authority gives the agent no certificate: the message has its words.",
  "agent/answer": "The authority's certificate is not what the agent asked for, and is not used.",
  "agent/bundle": "A trust bundle cannot be read, or holds what is no root. The one in force stays.",
  "agent/files": "The files of an identity cannot be written. What was written before stays.",
  "agent/identity": "The agent that was asked has no such identity.",
  "agent/reload": "The command that should make a server read its files again failed, or took too long.",
  "agent/failed": "The agent could not ask for a certificate: a defect of ours.",
} as const satisfies Readonly<Record<`${string}/${string}`, string>>;

/** A stable name of a fault: `area/fault`. */
export type FaultCode = keyof typeof faultCodes;
