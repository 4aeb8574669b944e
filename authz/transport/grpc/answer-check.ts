import { constants, type ServerHttp2Stream } from "node:http2";
import type { CheckOutcome, ListenerSettings } from "#authz/check/contract";
import { messageOf } from "#platform/coded-error";
import type { CallRoom } from "#platform/grpc/call-room";
import { firstField } from "#platform/grpc/fields";
import { frame } from "#platform/grpc/wire";
import { decisionMillis } from "../decision-time.ts";
import { refusalRecord } from "../listener.ts";
import { FieldMetadata } from "./field-metadata.ts";
import { readGrpcTimeout } from "./grpc-timeout.ts";
import { lastResortDenial } from "./last-resort-denial.ts";
import { readMessage } from "./read-message.ts";
import type { GrpcListenerStart } from "./serve.ts";

/**
 * Reads one Check, has it decided and answers it. `fields`: the stream's header fields, names and values in turn; `room`: see `readMessage`. INVARIANT: a stream that is there to be answered gets exactly one
 * CheckResponse, and without a decision to allow that response denies: a call that fails is subject to the proxy's fail-open. PERF: row `grpc check` of `bench/main.ts`.
 */
export function answerCheck(
  stream: ServerHttp2Stream,
  fields: readonly string[],
  start: GrpcListenerStart,
  settings: ListenerSettings,
  room: CallRoom,
): void {
  const begun = start.monotonicMillis();
  readMessage(stream, firstField(fields, "grpc-encoding"), room, (received) => {
    if (!received.ok) {
      send(stream, start, begun, denialOutcome(settings, received.reason, received.detail));
      return;
    }
    const remaining = () => remainingMillis(fields, start.monotonicMillis() - begun, settings);
    let outcome: CheckOutcome | Promise<CheckOutcome>;
    try {
      outcome = start.check(received.message, new FieldMetadata(fields), settings, remaining);
    } catch (defect) {
      outcome = defectOutcome(start, settings, defect);
    }
    if (outcome instanceof Promise) sendInTime(stream, start, settings, begun, outcome, remaining());
    else send(stream, start, begun, outcome);
  });
}

function sendInTime(
  stream: ServerHttp2Stream,
  start: GrpcListenerStart,
  settings: ListenerSettings,
  begun: number,
  outcome: Promise<CheckOutcome>,
  limitMillis: number,
): void {
  const limit = new Promise<CheckOutcome>((resolve) => {
    const timer = setTimeout(() => resolve(deadlineOutcome(settings)), limitMillis);
    timer.unref();
    const settled = () => clearTimeout(timer);
    outcome.then(settled, settled);
  });
  Promise.race([outcome, limit]).then(
    (first) => send(stream, start, begun, first),
    (defect: unknown) => send(stream, start, begun, defectOutcome(start, settings, defect)),
  );
}

const answerFields = { ":status": 200, "content-type": "application/grpc" };
const withTrailers = { waitForTrailers: true };
const okTrailers = { "grpc-status": "0" };
function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers(okTrailers);
  // RFC 9113 §8.1: a client that is still sending is told that it need not, by a reset that is no fault. ORDER: one that is asked for before the trailers are on their way takes their place, and the
  // call has failed.
  if (!this.readableEnded) setImmediate(() => this.close(constants.NGHTTP2_NO_ERROR));
}

function send(stream: ServerHttp2Stream, start: GrpcListenerStart, begun: number, outcome: CheckOutcome): void {
  // Who gave the call up is not waiting for an answer; that it was decided is recorded all the same.
  if (!stream.destroyed && !stream.closed && !stream.headersSent) {
    stream.once("wantTrailers", sendOk);
    stream.respond(answerFields, withTrailers);
    stream.end(frame(outcome.response));
  }
  try {
    start.observe(outcome.record, start.monotonicMillis() - begun);
  } catch (defect) {
    start.log.error({ fault: messageOf(defect) }, "a decision could not be recorded");
  }
}

function defectOutcome(start: GrpcListenerStart, settings: ListenerSettings, defect: unknown): CheckOutcome {
  start.log.error({ err: defect, listener: settings.name }, "a check failed, the request is denied");
  return denialOutcome(settings, "internal/defect", messageOf(defect));
}

function deadlineOutcome(settings: ListenerSettings): CheckOutcome {
  return denialOutcome(settings, "request/deadline", "the deadline passed before a decision");
}

function denialOutcome(
  settings: ListenerSettings,
  reason: Parameters<typeof refusalRecord>[1],
  detail: string,
): CheckOutcome {
  return { response: lastResortDenial, record: refusalRecord(settings, reason, 403, detail) };
}

/** `takenMillis`: since the call began. */
function remainingMillis(fields: readonly string[], takenMillis: number, settings: ListenerSettings): number {
  const timeoutMillis = readGrpcTimeout(firstField(fields, "grpc-timeout"));
  if (timeoutMillis === undefined) return settings.deadlineMillis;
  return decisionMillis(timeoutMillis - takenMillis, settings.deadlineMillis);
}
