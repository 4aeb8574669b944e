import type { IdentifiedCaller, Resource, ResourceType, StreamEvent, StreamRefusal } from "#xds/contract";

/** A type of resources that a test puts there and takes away. */
export interface Shelf extends ResourceType<string> {
  /** Each event in one line. */
  readonly events: string[];
  /** Streams that listen. */
  readonly listeners: Set<() => void>;
  /** The body of a resource is `NAME=VERSION`. */
  put(name: string, version: string): void;
  remove(name: string): void;
  /** Without telling anybody. */
  putQuietly(name: string, version: string): void;
  tell(): void;
  resource(name: string): Resource | undefined;
  /** From now on this caller may have nothing. */
  end(caller: string, refusal: StreamRefusal): void;
}

export const shelfUrl = "type.googleapis.com/test.Resource";

export function createShelf(
  initial: Readonly<Record<string, string>> = {},
  options: { readonly typeUrl?: string; readonly wildcard?: boolean; readonly refusal?: StreamRefusal } = {},
): Shelf {
  const resources = new Map<string, Resource>();
  const listeners = new Set<() => void>();
  const ended = new Map<string, StreamRefusal>();
  const events: string[] = [];
  const tell = () => {
    for (const changed of listeners) changed();
  };
  const shelf: Shelf = {
    typeUrl: options.typeUrl ?? shelfUrl,
    events,
    listeners,
    open: (caller) =>
      options.refusal ?? {
        lookUp: (name) => resources.get(name),
        wildcard: () => (options.wildcard ? [...resources.keys()] : []),
        ended: () => ended.get(caller),
        subscribe(changed) {
          listeners.add(changed);
          return () => void listeners.delete(changed);
        },
      },
    observe: (event) => void events.push(line(event)),
    putQuietly(name, version) {
      resources.set(name, { name, version, body: new TextEncoder().encode(`${name}=${version}`) });
    },
    put(name, version) {
      shelf.putQuietly(name, version);
      tell();
    },
    remove(name) {
      resources.delete(name);
      tell();
    },
    tell,
    resource: (name) => resources.get(name),
    end(caller, refusal) {
      ended.set(caller, refusal);
      tell();
    },
  };
  for (const [name, version] of Object.entries(initial)) shelf.putQuietly(name, version);
  return shelf;
}

/** A caller by its name. */
export function named(caller: string): IdentifiedCaller<string> {
  return { caller, text: `spiffe://test/${caller}`, fingerprint: "ab".repeat(32) };
}

function line({ kind, name, version, message }: StreamEvent): string {
  return `${kind} ${name}=${version}${message === undefined ? "" : `: ${message}`}`;
}
