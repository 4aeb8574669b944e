const bytes = (buffer: Buffer) => buffer;

/** Envoy's authorization service for `Server.addService` of grpc-js, with its messages left as bytes. */
export const checkService = {
  check: {
    path: "/envoy.service.auth.v3.Authorization/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
} as const;
