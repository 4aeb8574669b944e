/** Every code of a failed operation, with what it means to an operator. `docs/faults.md` is written from it. */
export const faultCodes = {
  "listen/failed": "A socket cannot be opened: the address is in use, is not this machine's, or may not be used.",
  "secret/empty": "A file that should hold a secret or token holds none: it would let everybody in.",
  "secret/unreadable": "A file that should hold a secret or token cannot be read.",
  "tls/unreadable": "A certificate, key or authority file cannot be read.",
  "tls/unusable": "A file holds no certificate, or certificate and key do not belong together.",
  "source/missing": "The policy folder is not there, or is no folder.",
  "source/unreadable": "The policy folder, a file in it, or a file of compiled rules cannot be read.",
  "source/escape": "A link in the policy folder leads out of it.",
  "source/too-large": "The policy folder holds more than is read: see limits.md.",
  "source/unstable": "The policy folder kept changing while it was read.",
  "source/compiler": "The compiler failed: a defect of ours. The rules in force stay.",
  "source/worker": "The thread that compiles ended before it had finished, for want of memory perhaps.",
  "ruleset/damaged": "The bytes of compiled rules are damaged, or of another version.",
  "ruleset/unusable": "Compiled rules could not be put in force: a defect of ours. The rules in force stay.",
  "policy/invalid": "The policies have errors: see the diagnostics. The rules in force stay.",
  "output/unwritable": "A file that a command was asked to write cannot be written. Nothing was left behind.",
  "service/unreachable": "The service that `--admin` names cannot be asked.",
  "service/answer": "What answered at the address that `--admin` names is no admin API.",
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
  "ca-key/blocked-list": "The list of keys that get no certificate cannot be read, or has a line that is no SHA-256.",
} as const satisfies Readonly<Record<`${string}/${string}`, string>>;

/** A stable name of a fault: `area/fault`. */
export type FaultCode = keyof typeof faultCodes;
