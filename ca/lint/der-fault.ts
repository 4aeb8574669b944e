import { checkDer } from "#ca/x509/check-der";
import { type DerElement, derElement, elementBytes, wholeElement } from "./der-element.ts";

const limits = { sizeBytes: 16_384, depth: 16 };

/** Why bytes are not one element in the form of DER (X.690 §10, §11), if they are not: what `checkDer` finds, and members of a SET out of order (§11.6). */
export function derFault(bytes: Uint8Array): string | undefined {
  const fault = checkDer(bytes, limits);
  if (fault !== undefined) return fault.message;
  const root = wholeElement(bytes);
  return root === undefined ? "no element that can be read" : setOrderFault(root);
}

function setOrderFault({ tag, bytes, contentStart, end }: DerElement): string | undefined {
  if ((tag & 0x20) === 0) return undefined;
  let previous: DerElement | undefined;
  for (let at = contentStart; at < end; at = previous.end) {
    const child = derElement(bytes, at, end);
    if (child === undefined) return "no row of elements in an element that is constructed";
    if (tag === 0x31 && previous !== undefined && Buffer.compare(elementBytes(previous), elementBytes(child)) > 0)
      return "members of a SET must be in the order of their bytes";
    const fault = setOrderFault(child);
    if (fault !== undefined) return fault;
    previous = child;
  }
  return undefined;
}
