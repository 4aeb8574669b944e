/** A part of an answer in JSON, read by place (`rules.active.digest`). What answers may be another program, or a newer one: a field of another kind is no field. */
export interface AnswerFields {
  has(place: string): boolean;
  text(place: string): string | undefined;
  count(place: string): number | undefined;
  flag(place: string): boolean | undefined;
  /** Milliseconds since the epoch, as RFC 3339 has them. */
  time(place: string): string | undefined;
  list(place: string): readonly AnswerFields[];
  texts(place: string): readonly string[];
}

export function fieldsOf(value: unknown): AnswerFields {
  const at = (place: string): unknown =>
    place.split(".").reduce((part: unknown, name) => (isObject(part) ? part[name] : undefined), value);
  const list = (place: string): readonly unknown[] => {
    const found = at(place);
    return Array.isArray(found) ? found : [];
  };
  return {
    has: (place) => (at(place) ?? undefined) !== undefined,
    text: (place) => ofKind(at(place), "string"),
    count: (place) => ofKind(at(place), "number"),
    flag: (place) => ofKind(at(place), "boolean"),
    time(place) {
      const millis = ofKind(at(place), "number");
      const moment = millis === undefined ? undefined : new Date(millis);
      return moment === undefined || Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
    },
    list: (place) => list(place).map(fieldsOf),
    texts: (place) => list(place).filter((item) => typeof item === "string"),
  };
}

/** A commit with its subject and author; the revision of a bundle, and a commit that was not read, as it stands. Undefined where there is neither. */
export function revisionText(fields: AnswerFields, place = ""): string | undefined {
  const commit = fields.text(`${place}commit`);
  const subject = fields.text(`${place}subject`);
  if (commit === undefined || subject === undefined) return commit;
  return `${commit.slice(0, 12)} ${subject} (${fields.text(`${place}author`) ?? ""})`;
}

/** A line for what is there, none for what is not. */
export function labelled(label: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`${label}: ${text}`];
}

interface Kinds {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}

function ofKind<K extends keyof Kinds>(value: unknown, kind: K): Kinds[K] | undefined {
  return typeof value === kind ? (value as Kinds[K]) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
