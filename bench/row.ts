/** What is printed of a measurement, one line each. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Largest and smallest value that pass; neither: for information. */
  readonly most?: number;
  readonly least?: number;
}
