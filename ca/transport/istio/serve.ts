import type { AuthorityService } from "#ca/service/contract";
import type { Door, DoorStart } from "#platform/door/door";
import { createHealthCheck, healthPath, type IsServing } from "#platform/grpc/health";
import { serveGrpc } from "#platform/grpc/serve";
import { certificateService, createCertificateMethod, createCertificatePath } from "./create-certificate.ts";

export interface IstioDoorStart extends DoorStart {
  readonly service: Pick<AuthorityService, "issue">;
  readonly serving: IsServing;
}

/** Starts the door of Istio's agents: `CreateCertificate`, and gRPC's health check. Fails with `listen/failed` or `door/plain-text`. */
export function serveIstio(start: IstioDoorStart): Promise<Door> {
  return serveGrpc(start, {
    unary: new Map([
      [createCertificatePath, createCertificateMethod(start.service.issue)],
      [healthPath, createHealthCheck(start.serving, [certificateService])],
    ]),
    streams: new Map(),
  });
}
