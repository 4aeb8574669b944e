import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import type { CertificateAnswer, CertificateRequest } from "#ca/issuance/contract";
import type { AuthorityService } from "#ca/service/contract";
import { serveHttp } from "#ca/transport/http/serve";
import { serveIstio } from "#ca/transport/istio/serve";
import type { Address } from "#platform/address";
import { type Door, type DoorStart, defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { type FakeAuthority, fakeAuthority, fakeIssued } from "./fake-authority.ts";

export interface OpenDoor extends FakeAuthority {
  readonly door: Door;
  readonly port: number;
  /** The log so far. */
  readonly logged: () => string;
}

export interface DoorOptions {
  readonly tls?: DoorStart["tls"];
  readonly address?: Address;
  readonly limits?: Partial<DoorStart["limits"]>;
  readonly timers?: DoorStart["timers"];
  readonly answer?:
    | CertificateAnswer
    | ((request: CertificateRequest) => CertificateAnswer | Promise<CertificateAnswer>);
  readonly service?: Partial<AuthorityService>;
  readonly hosts?: ReadonlySet<string>;
  readonly serving?: () => boolean;
}

/** A door of either kind on a free port of this machine, with an authority behind it that the test decides for. It ends with the test. */
export async function openDoor(t: TestContext, kind: "istio" | "http", options: DoorOptions = {}): Promise<OpenDoor> {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const start: DoorStart = {
    name: kind,
    address: options.address ?? { kind: "tcp", host: "127.0.0.1", port: 0 },
    tls: options.tls,
    limits: { ...defaultDoorLimits, ...options.limits },
    ...(options.timers !== undefined && { timers: options.timers }),
    log: createLog({ level: "info", stream }).log,
  };
  const authority = fakeAuthority(options.answer ?? fakeIssued, options.service);
  const { service } = authority;
  const door =
    kind === "istio"
      ? await serveIstio({ ...start, service, serving: options.serving ?? (() => true) })
      : await serveHttp(
          {
            service,
            version: "0.0.0-test",
            nowMillis: () => 1_000_000,
            renderPem: ({ sequence }) => `PEM ${sequence}\n`,
            renderJwks: ({ sequence }) => JSON.stringify({ keys: [], spiffe_sequence: sequence }),
            hosts: options.hosts,
          },
          start,
        );
  t.after(() => door.stop(AbortSignal.abort()));
  return {
    ...authority,
    door,
    port: door.address.kind === "tcp" ? door.address.port : 0,
    logged: () => text,
  };
}
