export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

/**
 * A reader of the XML that test reports are made of: elements, attributes, text, CDATA. Strict (XML 1.0): throws on characters that may not
 * stand in a document, unknown references, bare `<` and `&`, attributes twice, tags that do not match.
 */
export function readXml(text: string): Element {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) || !text.isWellFormed()) {
    throw new Error("a character that XML cannot hold");
  }
  const reader = new Reader(text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, ""));
  const root = reader.element();
  reader.end();
  return root;
}

class Reader {
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  end(): void {
    if (this.#rest.trim() !== "") throw new Error(`text behind the root: ${this.#rest.slice(0, 40)}`);
  }

  element(): Element {
    const [, name = ""] = this.#take(/^<([A-Za-z][\w.-]*)/, "a start tag");
    const attributes: Record<string, string> = {};
    for (
      let found = this.#try(/^\s+([\w:.-]+)="([^"<]*)"/);
      found !== null;
      found = this.#try(/^\s+([\w:.-]+)="([^"<]*)"/)
    ) {
      const [, key = "", value = ""] = found;
      if (Object.hasOwn(attributes, key)) throw new Error(`the attribute ${key} is there twice`);
      attributes[key] = unescaped(value);
    }
    if (this.#try(/^\s*\/>/) !== null) return { name, attributes, children: [], text: "" };
    this.#take(/^\s*>/, "the end of a tag");
    const children: Element[] = [];
    let text = "";
    for (;;) {
      const cdata = this.#try(/^<!\[CDATA\[([\s\S]*?)\]\]>/);
      if (cdata !== null) text += cdata[1];
      else if (this.#rest.startsWith("</")) break;
      else if (this.#rest.startsWith("<")) children.push(this.element());
      else text += unescaped(this.#take(/^[^<]+/, "text")[0]);
    }
    const [, closed] = this.#take(/^<\/([\w.-]+)\s*>/, "an end tag");
    if (closed !== name) throw new Error(`<${name}> is closed by </${closed}>`);
    return { name, attributes, children, text };
  }

  #try(pattern: RegExp): RegExpExecArray | null {
    const found = pattern.exec(this.#rest);
    if (found !== null) this.#rest = this.#rest.slice(found[0].length);
    return found;
  }

  #take(pattern: RegExp, what: string): RegExpExecArray {
    const found = this.#try(pattern);
    if (found === null) throw new Error(`expected ${what}, found ${JSON.stringify(this.#rest.slice(0, 40))}`);
    return found;
  }
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&([^;&]*;)?/g, (whole, reference: string | undefined) => {
    const name = reference?.slice(0, -1) ?? "";
    const code = /^#x([0-9A-Fa-f]+)$/.exec(name)?.[1] ?? undefined;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    const character = named[name];
    if (character === undefined) throw new Error(`no reference: ${whole}`);
    return character;
  });
}
