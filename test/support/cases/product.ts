import { createGrpcCheck } from "#authz/check/check";
import { createEngine } from "#authz/engine/create-engine";
import { compile } from "#policy-compiler/compile";

/** The parts of the product that a case goes through, in the order in which it meets them. */
export const product = { compile, createEngine, createGrpcCheck } as const;
