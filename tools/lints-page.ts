import { lints } from "#ca/lint/lints";

const intro = `# Lints of certificates

What Garita's certificate authority asks of every certificate before it signs: the bytes that would be signed are read back and must pass each of these
rules. One that speaks stops the issuance (\`issue/lint\`); it is a defect of ours, and \`garita ca explain\` tells which rule and what was found. Where
the citation names *Garita's profile*, the standards allow more than we write. Ids are stable. This page is generated from \`ca/lint/lints.ts\`.
`;

/** \`docs/certificate-lints.md\`: every lint with its citation and the profiles that it is about. */
export function renderLintsPage(): string {
  const rows = lints.map(
    ({ id, citation, what, profiles }) =>
      `| \`${id}\` | ${what} | ${profiles.length === 3 ? "every" : profiles.join(", ")} | ${citation} |`,
  );
  return `${[intro, "| Lint | What it asks for | Profiles | Citation |", "|---|---|---|---|", ...rows].join("\n")}\n`;
}
