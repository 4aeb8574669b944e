/** What to do about a port in use, if that is why a trial did not start; undefined: it is not. `error`: what was thrown, with its causes. */
export function portHint(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ((each as NodeJS.ErrnoException).code !== "EADDRINUSE") continue;
    return "end what listens there, or choose other ports: `GARITA_LISTENERS__0__ADDRESS=127.0.0.1:9291 npm start`; the others are GARITA_LISTENERS__1__ADDRESS (for curl), GARITA_ADMIN__ADDRESS, GARITA_CA__GRPC__ADDRESS and GARITA_CA__HTTP__ADDRESS";
  }
  return undefined;
}
