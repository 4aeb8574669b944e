import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { decodeIstioRequest, encodeIstioResponse, encodeRetryInfo } from "#ca/transport/istio/messages";
import { RetryInfoSchema } from "../../../../ca/transport/istio-api/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../../ca/transport/istio-api/gen/google/rpc/status_pb.ts";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../../../../ca/transport/istio-api/gen/security/v1alpha1/ca_pb.ts";

function encoded(metadata: JsonObject | undefined, validityDuration = 60n): Uint8Array {
  const message = { csr: "PEM", validityDuration, ...(metadata === undefined ? {} : { metadata }) };
  return toBinary(IstioCertificateRequestSchema, create(IstioCertificateRequestSchema, message));
}

test("the bytes that agents send are read", () => {
  // csr = 1 "PEM", validity_duration = 3 (86,400), metadata = 4 {CertSigner: ""}
  const bytes = Buffer.from(`0a0350454d18${"80a305"}2212${"0a10"}${"0a0a436572745369676e6572"}${"12021a00"}`, "hex");
  assert.deepEqual(decodeIstioRequest(bytes), {
    csrPem: "PEM",
    ttlSeconds: 86_400,
    certSigner: undefined,
    impersonatedIdentity: undefined,
  });
});

test("the two entries of metadata that count are told, others are not looked at", () => {
  const request = decodeIstioRequest(
    encoded({ CertSigner: "a", ImpersonatedIdentity: "b", WorkloadIP: 3, ["__proto__"]: {} }),
  );
  assert.equal(request?.certSigner, "a");
  assert.equal(request?.impersonatedIdentity, "b");
  assert.equal(decodeIstioRequest(encoded(undefined))?.certSigner, undefined);
  assert.equal(decodeIstioRequest(encoded({}))?.certSigner, undefined);
});

test("a name that is no text is not taken for none", () => {
  for (const value of [1, null, true, ["a"], { a: "b" }]) {
    assert.equal(decodeIstioRequest(encoded({ CertSigner: value })), undefined);
    assert.equal(decodeIstioRequest(encoded({ ImpersonatedIdentity: value })), undefined);
  }
});

test("every lifetime is told, however large", () => {
  for (const ttl of [0n, -1n, 1n, 2n ** 31n, -(2n ** 63n)]) {
    assert.equal(decodeIstioRequest(encoded(undefined, ttl))?.ttlSeconds, Number(ttl));
  }
  assert.ok(decodeIstioRequest(encoded(undefined, 2n ** 63n - 1n))!.ttlSeconds > 2 ** 60);
});

test("bytes that are no message, or one of structs without end, are none", () => {
  let value = Buffer.from("1a00", "hex");
  const wrap = (tag: number, body: Buffer) => {
    const head = [tag];
    let rest = body.length;
    for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
    return Buffer.concat([Buffer.from([...head, rest]), body]);
  };
  for (let i = 0; i < 4000; i++) value = wrap(0x2a, wrap(0x0a, wrap(0x12, value)));
  const deep = wrap(0x22, wrap(0x0a, Buffer.concat([Buffer.from("0a0141", "hex"), wrap(0x12, value)])));
  for (const bytes of [deep, Buffer.from("0a05", "hex"), Buffer.from("0f", "hex"), Buffer.from("0a01ff", "hex")]) {
    assert.equal(decodeIstioRequest(bytes), undefined);
  }
});

test("an answer has the elements of the chain in their order", () => {
  const chain = ["leaf\n", "issuer\n", "roots\n"];
  assert.deepEqual(fromBinary(IstioCertificateResponseSchema, encodeIstioResponse(chain)).certChain, chain);
});

test("the delay of a retry is told in seconds and nanoseconds", () => {
  for (const [millis, seconds, nanos] of [
    [0, 0n, 0],
    [1500, 1n, 500_000_000],
    [999.6, 1n, 0],
  ] as const) {
    const { code, message, details } = fromBinary(StatusSchema, encodeRetryInfo(8, "busy", millis));
    assert.deepEqual([code, message], [8, "busy"]);
    const delay = anyUnpack(details[0]!, RetryInfoSchema)?.retryDelay;
    assert.deepEqual([delay?.seconds, delay?.nanos], [seconds, nanos]);
  }
});
