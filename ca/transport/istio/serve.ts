import type { AuthorityService } from "#ca/service/contract";
import type { Door, DoorStart } from "#platform/door/door";
import type { GrpcMethods } from "#platform/grpc/contract";
import { createHealthCheck, healthPath, type IsServing } from "#platform/grpc/health";
import { serveGrpc } from "#platform/grpc/serve";
import { certificateService, createCertificateMethod, createCertificatePath } from "./create-certificate.ts";

export interface IstioDoorStart extends DoorStart {
  readonly service: Pick<AuthorityService, "issue">;
  readonly serving: IsServing;
  /** What is given by streams. Undefined: nothing is. */
  readonly discovery?: GrpcMethods;
}

/** Starts the gRPC door: Istio's `CreateCertificate`, what is given by streams, and gRPC's health check. Fails with `listen/failed` or `door/plain-text`. */
export function serveIstio(start: IstioDoorStart): Promise<Door> {
  const { discovery } = start;
  return serveGrpc(start, {
    unary: new Map([
      [createCertificatePath, createCertificateMethod(start.service.issue)],
      [healthPath, createHealthCheck(start.serving, [certificateService])],
      ...(discovery?.unary ?? []),
    ]),
    streams: discovery?.streams ?? new Map(),
  });
}
