/** A way into a value: keys of objects and indexes of lists. */
export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A configuration file as plain data, with the places of its parts. */
export interface LocatedYaml {
  readonly value: unknown;
  /** Where the value at a path stands; where it is missing, the nearest part around it. */
  placeOf(path: Path): Place;
  /** Where the key stands that leads to the value at a path. */
  placeOfKey(path: Path): Place;
}

export interface YamlFault extends Place {
  readonly message: string;
}

export type ReadYaml =
  | { readonly yaml: LocatedYaml; readonly faults: readonly [] }
  | { readonly yaml: undefined; readonly faults: readonly YamlFault[] };
