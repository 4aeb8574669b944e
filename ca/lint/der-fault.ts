import { checkDer } from "#ca/x509/check-der";
import { childrenOf, type DerElement, elementBytes, wholeElement } from "./der-element.ts";

const limits = { sizeBytes: 16_384, depth: 16 };

/** Why bytes are not one element in the form of DER (X.690 §10, §11), if they are not: what `checkDer` finds, and members of a SET out of order (§11.6). */
export function derFault(bytes: Uint8Array): string | undefined {
  const checked = checkDer(bytes, limits);
  if (!checked.ok) return checked.fault.message;
  const root = wholeElement(bytes);
  return root === undefined ? "no element that can be read" : setOrderFault(root);
}

function setOrderFault(element: DerElement): string | undefined {
  if ((element.tag & 0x20) === 0) return undefined;
  const children = childrenOf(element);
  if (children === undefined) return "no row of elements in an element that is constructed";
  const isSet = element.tag === 0x31;
  for (let i = 0; i < children.length; i++) {
    if (isSet && i > 0 && Buffer.compare(elementBytes(children[i - 1]!), elementBytes(children[i]!)) > 0)
      return "members of a SET must be in the order of their bytes";
    const fault = setOrderFault(children[i]!);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
