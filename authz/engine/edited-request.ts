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
    this.#lines ??= new Map();
    this.#lines.set(name, lines);
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
    return copy;
  }

  get targetEdited(): boolean {
    return this.#target !== undefined && this.#target !== this.#received.target;
  }

  /**
   * The headers that were touched, in the order in which that was first done. Empty lines: taken away.
   *
   * INVARIANT: also those whose lines seem to be as they were. What was received is what the asking Envoy tells: some headers it may be set up not
   * to send, several lines may be told as one, and bytes that are no text as others. The upstream is to get what was decided on.
   */
  headerEdits(): Iterable<readonly [name: ByteString, lines: readonly ByteString[]]> {
    return this.#lines ?? none;
  }

  get edited(): boolean {
    return this.targetEdited || this.#lines !== undefined;
  }
}

const none: readonly never[] = Object.freeze([]);
