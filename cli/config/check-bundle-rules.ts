import { isWord } from "#authz/rulesets/bundle/manifest";
import { bundleUrlFault } from "#authz/rulesets/bundle/settings";
import { bundleDefaults } from "./bundle-defaults.ts";
import type { RawConfig } from "./model.ts";
import { fault, type ShapeFault } from "./shape-fault.ts";
import { checkStaleness } from "./staleness-keys.ts";

/** What a schema cannot say of `policies.bundle`. */
export function checkBundleRules({ policies: { bundle } }: RawConfig): ShapeFault[] {
  if (bundle === undefined) return [];
  const place = ["policies", "bundle"];
  const wrongUrl = bundleUrlFault(bundle.url);
  return [
    ...(wrongUrl === undefined
      ? []
      : [fault("config/value", [...place, "url"], `not where a bundle is fetched from: ${wrongUrl}`)]),
    ...(bundle.name === undefined || isWord(bundle.name)
      ? []
      : [fault("config/value", [...place, "name"], "no bundle can have this name")]),
    ...checkStaleness(place, bundle, bundle.pollSeconds ?? bundleDefaults.pollSeconds),
  ];
}
