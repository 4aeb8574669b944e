import { setTimeout as delay } from "node:timers/promises";
import { type CaseProviderAnswer, checkResponseOf } from "./case-answer.ts";
import { type GrpcProvider, startGrpcProvider } from "./grpc-provider.ts";
import { type HttpProvider, httpResponse, startHttpProvider } from "./http-provider.ts";

/** A provider over HTTP and one over gRPC whose questions say how they are to be answered: by the name in header `x-ask`. */
export interface AskedProviders {
  readonly ports: { readonly http: number; readonly grpc: number };
  /** Bodies that came with questions since the last call of this, Latin-1; over HTTP first. */
  takeBodies(): string[];
  /** How connections, which have no header, are answered from now on; they are allowed at first. */
  answerConnections(answer: CaseProviderAnswer): void;
  /** Again, on the same ports. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const UNAVAILABLE = 14;

/** Starts both. An unknown name, or none, allows. */
export async function startAskedProviders(
  answers: Readonly<Record<string, CaseProviderAnswer>>,
): Promise<AskedProviders> {
  let http: HttpProvider;
  let grpc: GrpcProvider;
  let ports = { http: 0, grpc: 0 };
  let ofConnections: CaseProviderAnswer = {};
  const answerTo = async (name: string | undefined): Promise<CaseProviderAnswer> => {
    const answer = answers[name ?? ""] ?? {};
    if (answer.hang !== undefined) await delay(answer.hang * 1000, undefined, { ref: false });
    return answer;
  };
  const start = async (): Promise<void> => {
    http = await startHttpProvider({ port: ports.http });
    grpc = await startGrpcProvider({ port: ports.grpc });
    ports = { http: http.port, grpc: grpc.port };
    http.answer(async (socket, { headers, requestLine }) => {
      const answer = await answerTo(headers.find(([name]) => name.toLowerCase() === "x-ask")?.[1]);
      if (answer.reset === true) socket.destroy();
      else socket.write(httpResponse(answer.status ?? 200, answer.headers, answer.body, requestLine.split(" ")[0]));
    });
    grpc.answer(async ({ request }) => {
      const asked = request.attributes?.request?.http;
      const answer = asked === undefined ? ofConnections : await answerTo(asked.headers["x-ask"]);
      return answer.reset === true ? { rpcError: UNAVAILABLE } : checkResponseOf(answer);
    });
  };
  await start();
  return {
    ports,
    takeBodies() {
      const overGrpc = grpc.take().map(({ request }) => {
        const asked = request.attributes?.request?.http;
        return asked && asked.rawBody.length > 0 ? Buffer.from(asked.rawBody).toString("latin1") : (asked?.body ?? "");
      });
      return [...http.take().map(({ body }) => body), ...overGrpc];
    },
    answerConnections(answer) {
      ofConnections = answer;
    },
    start,
    async stop() {
      await http.stop();
      await grpc.stop();
    },
  };
}
