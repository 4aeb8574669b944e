import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Need } from "./access.ts";
import type { Asking, HttpParts } from "./contract.ts";
import { renderForecast, renderPlan, renderRotation } from "./render-root.ts";
import { rootSchemas } from "./root-schemas.ts";
import type { ForceQuestion, WaiverQuestion } from "./root-shapes.ts";

/** Adds the routes of the root: auditors read, operators change. */
export function addRootRoutes(
  app: FastifyInstance,
  { service: { root } }: HttpParts,
  askingOf: (request: FastifyRequest) => Asking,
): void {
  const open = (schema: object, need: Need) => ({ schema, config: { need } });
  app.get("/v1/ca/root", open(rootSchemas.status, "auditor"), async () => renderRotation(await root.status()));
  app.get<{ Querystring: { readonly remove?: string } }>(
    "/v1/ca/root/plan",
    open(rootSchemas.plan, "auditor"),
    async ({ query }) => renderPlan(await root.plan(query.remove)),
  );
  app.get("/v1/ca/forecast", open(rootSchemas.forecast, "auditor"), async () => renderForecast(await root.forecast()));
  app.post("/v1/ca/root/rotate", open(rootSchemas.rotate, "operator"), async (request) =>
    renderRotation(await root.rotate(askingOf(request).who)),
  );
  app.post("/v1/ca/root/abort", open(rootSchemas.abort, "operator"), async (request) =>
    renderRotation(await root.abort(askingOf(request).who)),
  );
  app.post<{ Body: WaiverQuestion }>("/v1/ca/root/waivers", open(rootSchemas.waive, "operator"), async (request) => {
    const { spiffeId, reason } = request.body;
    return renderRotation(await root.waive(spiffeId, reason, askingOf(request).who));
  });
  app.post<{ Body: ForceQuestion }>("/v1/ca/root/force", open(rootSchemas.force, "operator"), async (request) => {
    const { confirmation, remove } = request.body;
    return renderRotation(await root.force(confirmation, remove, askingOf(request).who));
  });
}
