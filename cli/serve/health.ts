import type { Health } from "#authz/transport/grpc/health";

/** What proxies are told of the service, and those of them that listen. */
export interface ToldHealth extends Health {
  /** It may have changed. */
  tell(): void;
}

export function createHealth(serving: () => boolean): ToldHealth {
  const listeners = new Set<() => void>();
  return {
    serving,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell() {
      for (const listener of listeners) listener();
    },
  };
}
