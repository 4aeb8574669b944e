import assert from "node:assert/strict";
import { test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { AGENT_CLUSTER, agentSecret } from "#envoy-configs/secret-source";
import { ConfigSourceSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/config_source_pb";

/** A difference here makes every Envoy subscribe anew, and lose its secrets for a while: no release may bring one. */
const bytes = "1218080222100a0e0a0c6761726974612d6167656e743801400222003002";

test("where secrets come from is told in the same bytes for ever", () => {
  assert.equal(AGENT_CLUSTER, "garita-agent");
  for (const name of ["default", "ROOTCA"]) {
    const { sdsConfig } = agentSecret(name);
    assert.equal(Buffer.from(toBinary(ConfigSourceSchema, sdsConfig!)).toString("hex"), bytes);
  }
});
