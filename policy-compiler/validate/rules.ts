import { conditionKeyRows } from "./condition-key-rules.ts";
import { crdRows } from "./crd-rules.ts";
import { expressionRows } from "./expression-rules.ts";
import { extensionRows } from "./extension-rules.ts";
import { jwtRows, peerRows } from "./jwt-rules.ts";
import { lintRows } from "./lint-rules.ts";
import { metadataRows, placementRows } from "./placement-rules.ts";
import { policyRows } from "./policy-rules.ts";
import { providerRows } from "./provider-rules.ts";
import { registrationCallerRows } from "./registration-caller-rules.ts";
import { registrationRows } from "./registration-rules.ts";
import { responseRows } from "./response-rules.ts";
import type { AnyRow } from "./rule.ts";
import { selectionRows } from "./selection-rules.ts";
import { severalProvidersRows } from "./several-providers.ts";
import { unenforcedRows } from "./unenforced-rules.ts";
import { valueRows } from "./value-rules.ts";

/** THE table of validation: every rule that a document can break, whoever's rule it is. Whose: see the code's `origin`. */
export const rules: readonly AnyRow[] = [
  ...metadataRows,
  ...placementRows,
  ...policyRows,
  ...conditionKeyRows,
  ...valueRows,
  ...extensionRows,
  ...expressionRows,
  ...responseRows,
  ...jwtRows,
  ...peerRows,
  ...registrationRows,
  ...registrationCallerRows,
  ...lintRows,
  ...providerRows,
  ...severalProvidersRows,
  ...selectionRows,
  ...unenforcedRows,
  ...crdRows,
];
