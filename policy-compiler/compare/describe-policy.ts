import { twinOf } from "#policy-compiler/document/field-names";
import type {
  AuthorizationPolicy,
  ConditionEntry,
  ExtensionDocument,
  FieldValues,
  Placement,
  ResponseFieldDocument,
  ResponseValueDocument,
  RuleDocument,
  Selector,
  TargetRef,
} from "#policy-compiler/document/model";
import { type FieldNode, type GroupNode, group, items, located, mapGroup, texts, valueNode } from "./field-tree.ts";

/** The fields of an AuthorizationPolicy's `spec` without `rules`, which are compared one by one. */
export function describePolicySpec({ placement, action, provider }: AuthorizationPolicy): GroupNode {
  return group({
    ...describePlacement(placement),
    action: located(action),
    provider: provider && group({ name: located(provider) }, provider.span),
  });
}

/** One rule under the names of its fields. */
export function describeRule({ span, from, to, when, extension }: RuleDocument): GroupNode {
  return group(
    {
      from: items(
        from.map((entry) => group({ source: entry.source && describeValues(entry.source.fields) }, entry.span)),
      ),
      to: items(
        to.map((entry) => group({ operation: entry.operation && describeValues(entry.operation.fields) }, entry.span)),
      ),
      when: items(when.map(describeCondition)),
      ...describeExtension(extension),
    },
    span,
  );
}

/** `selector`, `targetRef`, `targetRefs`. */
export function describePlacement({ selector, targetRef, targetRefs }: Placement) {
  return {
    selector: describeSelector(selector),
    targetRef: targetRef && describeTargetRef(targetRef),
    targetRefs: items(targetRefs.map(describeTargetRef)),
  };
}

/** Present and without labels is not absent. */
export function describeSelector(selector: Selector | undefined): GroupNode | undefined {
  if (selector === undefined) return undefined;
  const labels = selector.matchLabels.map(({ key, value }) => [key.value, valueNode(value.value, value.span)] as const);
  return group({ matchLabels: mapGroup(labels, selector.span) }, selector.span);
}

function describeTargetRef({ span, group: ofGroup, kind, name, namespace }: TargetRef): GroupNode {
  const fields = { group: located(ofGroup), kind: located(kind), name: located(name), namespace: located(namespace) };
  return group(fields, span);
}

function describeValues(fields: Readonly<Partial<Record<string, FieldValues>>>): GroupNode {
  return group(
    Object.fromEntries(
      Object.entries(fields).flatMap(([name, values]) => [
        [name, texts(values?.values)],
        [twinOf(name), texts(values?.notValues)],
      ]),
    ),
  );
}

function describeCondition({ span, key, values, notValues }: ConditionEntry): GroupNode {
  return group({ key: located(key), values: texts(values), notValues: texts(notValues) }, span);
}

function describeExtension(extension: ExtensionDocument | undefined): Readonly<Record<string, FieldNode | undefined>> {
  if (extension === undefined) return {};
  const { cel, denyResponse, allowResponse } = extension;
  return {
    cel: texts(cel?.expressions.map(({ text, span }) => ({ value: text, span }))),
    denyResponse:
      denyResponse &&
      group(
        {
          status: located(denyResponse.status),
          headers: describeResponseFields(denyResponse.headers),
          body: denyResponse.body && describeResponseValue(denyResponse.body),
        },
        denyResponse.span,
      ),
    allowResponse:
      allowResponse &&
      group(
        {
          requestHeaders: describeResponseFields(allowResponse.requestHeaders),
          responseHeaders: describeResponseFields(allowResponse.responseHeaders),
          dynamicMetadata: describeResponseFields(allowResponse.dynamicMetadata),
        },
        allowResponse.span,
      ),
  };
}

function describeResponseFields(fields: readonly ResponseFieldDocument[]): GroupNode | undefined {
  return mapGroup(fields.map(({ name, value }) => [name.value, describeResponseValue(value)]));
}

function describeResponseValue(value: ResponseValueDocument): FieldNode {
  if (value.kind === "text") return valueNode(value.text.value, value.text.span);
  return group({ cel: valueNode(value.expression.text, value.expression.span) }, value.expression.span);
}
