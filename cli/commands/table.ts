import type { CommandModule } from "../command.ts";

export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of `garita --help`. PERF: a command's module is loaded when it is asked for. */
export const commandTable: readonly CommandRow[] = [
  { name: "serve", summary: "answer Envoy's checks by a folder of policies", load: () => import("./serve.ts") },
  { name: "version", summary: "print the version", load: () => import("./version.ts") },
];
