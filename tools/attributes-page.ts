import { attributes, fillings } from "#policy-compiler/conditions/attributes";
import { functions } from "#policy-compiler/conditions/functions";

const intro = `# Attributes and functions of conditions

What CEL expressions in policies of \`garita.dev\` can name. [Conditions](conditions.md) tells how they are written; this page is generated from
\`policy-compiler/conditions/attributes.ts\` and \`functions.ts\`, the tables that check and fill them.

**Absent**: Envoy says that there is none; \`has(source.principal)\` is false, and reading it fails. **Unknown**: the request did not bring it; the whole
condition is unknown, even under \`has\` or beside \`true ||\`.
`;

/** \`docs/attributes.md\`: the table of attributes and the one of functions. */
export function renderAttributesPage(): string {
  const lines = [
    intro,
    "## Attributes",
    "",
    "| Attribute | Type | Meaning | Filled by | Example |",
    "|---|---|---|---|---|",
    ...attributes.map(
      ({ name, type, meaning, filledBy, example }) =>
        `| \`${name}\` | \`${type}\` | ${meaning} | ${filledBy} | ${cell(example)} |`,
    ),
    "",
    "Filled by:",
    "",
    ...Object.entries(fillings).map(([name, meaning]) => `- **${name}**: ${meaning}`),
    "",
    "## Functions",
    "",
    "| Written | Meaning |",
    "|---|---|",
    ...functions.map(({ written, meaning }) => `| ${cell(written)} | ${meaning} |`),
    "",
    "Operators: `==` `!=` `<` `<=` `>` `>=` `in` `&&` `||` `!` `+` `-` `*` `/` `%` `? :`, and `[…]` for lists.",
  ];
  return `${lines.join("\n")}\n`;
}

/** Code inside a cell of a table: a bar would end the cell. */
function cell(code: string): string {
  return `\`${code.replaceAll("|", "\\|")}\``;
}
