import type { ByteString } from "#policy-compiler/ruleset/model";

/** Headers and target of a request as one stage hands it to the next. */
export interface ReadableRequest {
  /** Path and query as the policies and the upstream see it. */
  readonly target: ByteString;
  /** Every line of a header by lower-case name, in order; none: empty. */
  lines(name: ByteString): readonly ByteString[];
}

/**
 * A request as the stages before the policies leave it: CUSTOM providers set headers, tokens are taken out and claims put in.
 * What was received stays as it is; here stand the edits alone. PERF: without an edit, nothing is copied.
 */
export class EditedRequest implements ReadableRequest {
  readonly #received: ReadableRequest;
  #target: ByteString | undefined;
  #lines: Map<ByteString, readonly ByteString[]> | undefined;
  #replaced: Set<ByteString> | undefined;

  constructor(received: ReadableRequest) {
    this.#received = received;
  }

  get target(): ByteString {
    return this.#target ?? this.#received.target;
  }

  set target(target: ByteString) {
    this.#target = target;
  }

  lines(name: ByteString): readonly ByteString[] {
    return this.#lines?.get(name) ?? this.#received.lines(name);
  }

  /** What a header has become; undefined: nobody has touched it. */
  edit(name: ByteString): readonly ByteString[] | undefined {
    return this.#lines?.get(name);
  }

  /** Replaces every line of a header, by none for an empty list. */
  set(name: ByteString, lines: readonly ByteString[]): void {
    if (lines.length === 0 && this.lines(name).length === 0) return;
    this.#lines ??= new Map();
    this.#lines.set(name, lines);
  }

  /** One line instead of whatever is there. It counts as an edit even if it looks alike: one text may have been several lines. */
  replace(name: ByteString, line: ByteString): void {
    this.set(name, [line]);
    this.#replaced ??= new Set();
    this.#replaced.add(name);
  }

  add(name: ByteString, value: ByteString): void {
    this.set(name, [...this.lines(name), value]);
  }

  remove(name: ByteString): void {
    this.set(name, none);
  }

  /** Another one that begins where this one is now; its edits do not show here. */
  copy(): EditedRequest {
    const copy = new EditedRequest(this.#received);
    copy.#target = this.#target;
    if (this.#lines !== undefined) copy.#lines = new Map(this.#lines);
    if (this.#replaced !== undefined) copy.#replaced = new Set(this.#replaced);
    return copy;
  }

  get targetEdited(): boolean {
    return this.#target !== undefined && this.#target !== this.#received.target;
  }

  /** The headers whose lines are not those received, or were replaced, in the order in which they were first edited. Empty lines: taken away. */
  *headerEdits(): Generator<readonly [name: ByteString, lines: readonly ByteString[]]> {
    if (this.#lines === undefined) return;
    for (const [name, lines] of this.#lines) {
      if (this.#replaced?.has(name) === true || !equalLines(lines, this.#received.lines(name))) yield [name, lines];
    }
  }

  get edited(): boolean {
    return this.targetEdited || !this.headerEdits().next().done;
  }
}

const none: readonly never[] = Object.freeze([]);

function equalLines(one: readonly ByteString[], other: readonly ByteString[]): boolean {
  return one.length === other.length && one.every((line, i) => line === other[i]);
}
