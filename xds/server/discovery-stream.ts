import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import { cutText } from "#platform/cut-text";
import type { CallRoom } from "#platform/grpc/call-room";
import { grpcCodes } from "#platform/grpc/codes";
import type { StreamCall, StreamHandler } from "#platform/grpc/contract";
import type { Log } from "#platform/log";
import type { IdentifiedCaller, ResourceType, StreamRefusal, StreamStatus } from "../contract.ts";
import { shownBytes, shownNames } from "../limits.ts";
import {
  type DeltaRequest,
  decodeDeltaRequest,
  decodeStateRequest,
  type StateRequest,
} from "../messages/decode-request.ts";
import { encodeDeltaAnswer, encodeStateAnswer } from "../messages/encode-response.ts";
import { Delta } from "./delta.ts";
import { createNameQuota } from "./name-quota.ts";
import type { Verdict } from "./sent-responses.ts";
import { StateOfTheWorld } from "./state-of-the-world.ts";
import type { Subscription, SubscriptionStart } from "./subscription.ts";
import type { Turns } from "./turns.ts";

/** The two forms of the protocol. */
export const variants = {
  "state-of-the-world": {
    decode: decodeStateRequest,
    encode: encodeStateAnswer,
    open: (start: SubscriptionStart): Subscription<StateRequest> => new StateOfTheWorld(start),
  },
  delta: {
    decode: decodeDeltaRequest,
    encode: encodeDeltaAnswer,
    open: (start: SubscriptionStart): Subscription<DeltaRequest> => new Delta(start),
  },
} as const;

/** One of them, with its kind of request. */
export interface Variant<R> {
  decode(bytes: Uint8Array): R | undefined;
  readonly encode: typeof encodeStateAnswer;
  open(start: SubscriptionStart): Subscription<R>;
}

export interface DiscoveryStreamStart<C, R> {
  /** No other stream has had it. */
  readonly id: number;
  readonly call: StreamCall;
  readonly name: StreamStatus["variant"];
  readonly variant: Variant<R>;
  readonly types: ReadonlyMap<string, ResourceType<C>>;
  /** The one type of the stream, whose resources come one by one; undefined: all types. */
  readonly only: string | undefined;
  readonly room: CallRoom;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  /** The stream is over. */
  readonly closed: () => void;
}

interface OpenType<R> {
  readonly typeUrl: string;
  readonly subscription: Subscription<R>;
  readonly observe: ResourceType<never>["observe"];
  readonly ended: () => StreamRefusal | undefined;
  readonly stop: () => void;
  isChanged: boolean;
}

/** One stream: requests in, responses out, as its machines (one for each type) and the client's reading allow. What waits is not kept: a response is made when it can be sent. */
export class DiscoveryStream<C, R extends StateRequest | DeltaRequest> implements StreamHandler {
  readonly #start: DiscoveryStreamStart<C, R>;
  readonly #quota: ReturnType<typeof createNameQuota>;
  readonly #open = new Map<string, OpenType<R>>();
  readonly #sinceMillis: number;
  #caller: IdentifiedCaller<C> | undefined;
  /** Requests that came before it was known who asks. */
  #early: Uint8Array[] = [];
  #node = "";
  #responses = 0;
  #blocked = false;
  #over = false;

  constructor(start: DiscoveryStreamStart<C, R>) {
    this.#start = start;
    this.#quota = createNameQuota(start.room);
    this.#sinceMillis = start.clock.nowMillis();
  }

  /** It is known who asks. */
  identify(caller: IdentifiedCaller<C>): void {
    this.#caller = caller;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) {
      this.#start.room.giveBack(bytes.length);
      this.#guard(() => this.#take(bytes, caller));
    }
  }

  end(status: StreamRefusal): void {
    this.#start.call.end(status);
  }

  message(bytes: Uint8Array): void {
    if (this.#caller !== undefined) this.#take(bytes, this.#caller);
    else if (this.#start.room.take(bytes.length)) this.#early.push(bytes);
    else this.end({ code: grpcCodes.resourceExhausted, message: "too many requests wait" });
  }

  finished(): void {
    this.end({ code: grpcCodes.ok, message: "" });
  }

  drained(): void {
    this.#blocked = false;
    this.#send();
  }

  closed(): void {
    this.#over = true;
    for (const bytes of this.#early) this.#start.room.giveBack(bytes.length);
    this.#early = [];
    for (const { stop, subscription } of this.#open.values()) {
      stop();
      subscription.records.clear();
    }
    this.#open.clear();
    this.#start.closed();
  }

  /** Ends the stream if its caller may have nothing any more. */
  readonly lookAtCaller = (): void => {
    this.#guard(() => {
      for (const { ended } of this.#open.values()) {
        const refusal = ended();
        if (refusal === undefined) continue;
        this.end(refusal);
        return;
      }
    });
  };

  /** One for each type that was asked for. */
  status(): readonly StreamStatus[] {
    return [...this.#open.values()].map((type) => this.#statusOf(type));
  }

  #take(bytes: Uint8Array, caller: IdentifiedCaller<C>): void {
    if (this.#over) return;
    const { variant, only, types, clock } = this.#start;
    const request = variant.decode(bytes);
    if (request === undefined) {
      this.end({ code: grpcCodes.invalidArgument, message: "the message is no discovery request" });
      return;
    }
    if (this.#node === "" && request.node !== undefined) this.#node = cutText(request.node, shownBytes.node);
    const typeUrl = request.typeUrl || only;
    if (typeUrl === undefined || (only !== undefined && typeUrl !== only)) {
      this.end({ code: grpcCodes.invalidArgument, message: `\`type_url\` is not ${only ?? "there"}` });
      return;
    }
    const type = types.get(typeUrl);
    // Of types that are not served there is nothing, which is no reason to end the stream for the others.
    if (type === undefined) return;
    const open = this.#open.get(typeUrl) ?? this.#openType(type, caller.caller);
    if (open === undefined) return;
    const ended = open.ended();
    if (ended !== undefined) {
      this.end(ended);
      return;
    }
    const { verdicts, refusal } = open.subscription.take(request, clock.nowMillis());
    for (const verdict of verdicts) this.#tell(open, verdict);
    if (refusal !== undefined) this.end(refusal);
    else this.#send();
  }

  #openType(type: ResourceType<C>, caller: C): OpenType<R> | undefined {
    const view = type.open(caller);
    if ("code" in view) {
      this.end(view);
      return undefined;
    }
    const { variant, only, id } = this.#start;
    const nonces = {
      next: () => {
        const number = ++this.#responses;
        return { nonce: `${id}.${number}`, number };
      },
    };
    const subscription = variant.open({ view, separate: only !== undefined, nonces, quota: this.#quota });
    const open: OpenType<R> = {
      typeUrl: type.typeUrl,
      subscription,
      observe: type.observe,
      ended: () => view.ended(),
      stop: view.subscribe(() => {
        open.isChanged = true;
        this.#start.turns.add(this.#look);
      }),
      isChanged: false,
    };
    this.#open.set(type.typeUrl, open);
    return open;
  }

  readonly #look = (): void => {
    this.lookAtCaller();
    if (this.#over) return;
    this.#guard(() => {
      for (const open of this.#open.values()) {
        if (!open.isChanged) continue;
        open.isChanged = false;
        open.subscription.changed();
      }
      this.#send();
    });
  };

  #send(): void {
    const { call, variant } = this.#start;
    for (const { typeUrl, subscription } of this.#open.values()) {
      while (!this.#blocked && !this.#over) {
        const answer = subscription.next();
        if (answer === undefined) break;
        this.#blocked = !call.send(variant.encode(typeUrl, answer));
      }
    }
  }

  #tell(open: OpenType<R>, verdict: Verdict): void {
    const status = () => this.#statusOf(open);
    open.observe?.({
      ...verdict,
      // PERF: a list of names, which not everybody who hears of it looks at.
      get stream() {
        return status();
      },
    });
  }

  #statusOf({ typeUrl, subscription: { records } }: OpenType<R>): StreamStatus {
    const wanted = [...records].filter((record) => record.wanted);
    // Names that nobody has are many where somebody means harm: they do not hide the others.
    const shown = wanted.length <= shownNames ? wanted : [...wanted].sort((a, b) => known(b) - known(a));
    return {
      id: this.#start.id,
      typeUrl,
      variant: this.#start.name,
      caller: this.#caller?.text ?? "",
      fingerprint: this.#caller?.fingerprint,
      node: this.#node,
      sinceMillis: this.#sinceMillis,
      names: shown.slice(0, shownNames).map((record) => record.status()),
      leftOut: Math.max(0, wanted.length - shownNames),
    };
  }

  /** A view that fails ends its stream, and no other. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (defect) {
      this.#start.log.error({ err: defect, fault: messageOf(defect) }, "a stream of discovery failed");
      this.end({ code: grpcCodes.internal, message: "the stream failed" });
    }
  }
}

function known({ sent }: { readonly sent: string | undefined }): number {
  return sent === undefined ? 0 : 1;
}
