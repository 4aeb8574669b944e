/**
 * Bounds of expressions and of what they may look at. What an author writes is refused above them (`condition/too-complex`); an
 * attribute above them makes the condition unknown (`condition/too-large`).
 */
export const limits = {
  /** UTF-16 units of an expression. */
  textLength: 4_096,
  /** Nodes of its tree. The library's evaluator recurses over them: above about 2,000 it would overflow the stack. */
  nodes: 600,
  /** Nested brackets, calls and members. */
  depth: 64,
  /** Loops inside loops. */
  loops: 2,
  /**
   * Units of work for one evaluation at worst. Measured (`npm run bench -- conditions`): a unit takes at most 25 ns, so that no condition holds
   * its core longer than some 8 ms, whatever a client sends. `x in list` for every member of another list just fits.
   */
  cost: 300_000,
  /** The same for all conditions of one policy together, of which one request may meet every one: some 50 ms. Above it authors are warned. */
  costTogether: 2_000_000,

  /** Bytes of one text of an attribute. */
  attributeText: 8_192,
  /** Bytes of all texts of one attribute. */
  attributeTotal: 16_384,
  /** Members of a list or a map of an attribute. */
  attributeItems: 256,
  /** Values in one attribute, at every depth. */
  attributeNodes: 2_048,
  /** Lists and maps inside each other. */
  attributeDepth: 8,

  /** UTF-16 units of a pattern of `matches`, `glob` or `pathTemplate`. */
  pattern: 512,
  /** Largest count in `{n,m}`. */
  patternRepeat: 100,
  /** Instructions of a pattern's program. */
  patternProgram: 256,
  /** UTF-16 units of a text that is matched. */
  patternSubject: 4_096,
  /** UTF-16 units of what is looked for in a text, where the author did not write it. */
  needle: 256,
  /** Parts that a text may be split into. */
  parts: 256,
  /** UTF-16 units of a text that an expression makes. */
  madeText: 65_536,
} as const;
