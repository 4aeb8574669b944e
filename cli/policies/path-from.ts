import { normalize, sep } from "node:path";

/** Path of a policy folder's file from where the user stands, so that editors and CI find it. Written with `/`. */
export function pathFrom(folder: string, file: string): string {
  return normalize(`${folder === "" ? "." : folder}/${file}`).replaceAll(sep, "/");
}
