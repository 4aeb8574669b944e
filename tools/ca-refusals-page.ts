import { issuanceSteps } from "#ca/issuance/steps";
import { refusals } from "#ca/refusals";
import { refusalStatus } from "#ca/transport/refusal-status";
import { grpcCodes } from "#platform/grpc/codes";

const intro = `# Why no certificate

What the certificate authority answers when it gives none. The caller gets the code, the sentence and an id; \`garita ca explain ID\` tells the operator what was looked
at in order, what was seen, what was wanted, and what mends it. Of the gRPC codes Istio's agent tries again by itself after RESOURCE_EXHAUSTED, INTERNAL and UNAVAILABLE, and after no other
of these. This page is generated from the tables in the source.
`;

/** `docs/ca-refusals.md`. */
export function renderRefusalsPage(): string {
  const names = new Map<number, string>(
    Object.entries(grpcCodes).map(([name, code]) => [code, name.replace(/[A-Z]/g, "_$&").toUpperCase()]),
  );
  const rows = Object.entries(refusals).map(([code, { status, message, help }]) => {
    const { grpc, http } = refusalStatus[status];
    return `| \`${code}\` | ${names.get(grpc)}, ${http} | ${message} | ${help} |`;
  });
  return `${[
    intro,
    "| Code | gRPC, HTTP | The caller reads | What mends it |",
    "|---|---|---|---|",
    ...rows,
    "",
    "## The order",
    "",
    "| Step | Looks at |",
    "|---|---|",
    ...Object.entries(issuanceSteps).map(([step, what]) => `| \`${step}\` | ${what} |`),
  ].join("\n")}\n`;
}
