import type { CaseProviderAnswer } from "../providers/case-answer.ts";
import { type CaseProvider, startCaseProvider } from "../providers/case-provider.ts";
import type { ProviderPorts } from "./policy-folder.ts";

/** The extension providers of all cases of a run: one server for each name and kind, answering as the case in hand says. */
export interface CaseProviders {
  /** Where the named providers listen; starts those that do not yet. */
  portsOf(named: readonly { readonly name: string; readonly kind: "http" | "grpc" }[]): Promise<ProviderPorts>;
  /** What each provider answers from now on, by name; calls are counted from here. */
  expect(answers: Readonly<Record<string, CaseProviderAnswer>>): void;
  calls(): number;
  stop(): Promise<void>;
}

export function createCaseProviders(): CaseProviders {
  const servers = new Map<string, { readonly name: string; readonly server: CaseProvider }>();
  return {
    async portsOf(named) {
      const ports = new Map<string, number>();
      for (const { name, kind } of named) {
        const key = `${kind} ${name}`;
        const known = servers.get(key) ?? { name, server: await startCaseProvider(kind) };
        servers.set(key, known);
        ports.set(name, known.server.port);
      }
      return ports;
    },
    expect(answers) {
      for (const { name, server } of servers.values()) {
        // What was asked before is forgotten.
        server.calls();
        server.answer(Object.hasOwn(answers, name) ? answers[name]! : {});
      }
    },
    calls: () => [...servers.values()].reduce((sum, { server }) => sum + server.calls(), 0),
    async stop() {
      await Promise.all([...servers.values()].map(({ server }) => server.stop()));
    },
  };
}
