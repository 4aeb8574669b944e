export { parseTimestamp as parseInstant } from "#policy-compiler/ruleset/timestamp";
