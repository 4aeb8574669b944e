import type { CommandModule } from "../command.ts";

export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of `garita --help`. PERF: a command's module is loaded when it is asked for. */
export const commandTable: readonly CommandRow[] = [
  {
    name: "serve",
    summary: "answer Envoy's checks by policies of a folder, of Git or of a bundle",
    load: () => import("./serve.ts"),
  },
  { name: "check", summary: "say what is wrong with a policy folder", load: () => import("./check.ts") },
  { name: "compile", summary: "write a policy folder's compiled rules to a file", load: () => import("./compile.ts") },
  { name: "test", summary: "run the policy tests of a folder", load: () => import("./test.ts") },
  { name: "eval", summary: "decide one request", load: () => import("./eval.ts") },
  { name: "explain", summary: "decide one request and say why", load: () => import("./explain.ts") },
  { name: "diff", summary: "say what differs between two policy states", load: () => import("./diff.ts") },
  {
    name: "status",
    summary: "say what a running service decides by, and what to look at",
    load: () => import("./status.ts"),
  },
  { name: "sync", summary: "have a running service fetch its policies now", load: () => import("./sync.ts") },
  { name: "pin", summary: "have a running service go back to a commit for some time", load: () => import("./pin.ts") },
  { name: "unpin", summary: "end a pin", load: () => import("./unpin.ts") },
  { name: "build", summary: "write a policy folder as a bundle for other sites", load: () => import("./build.ts") },
  { name: "sign", summary: "sign a bundle of policies", load: () => import("./sign.ts") },
  { name: "verify", summary: "verify and describe a bundle of policies", load: () => import("./verify.ts") },
  { name: "jwks", summary: "look at the keys of issuers, and test a token", load: () => import("./jwks.ts") },
  { name: "ca", summary: "certificates of workloads: issue, look at, revoke", load: () => import("./ca.ts") },
  { name: "agent", summary: "keep identities alive on this machine", load: () => import("./agent.ts") },
  { name: "version", summary: "print the version", load: () => import("./version.ts") },
];
