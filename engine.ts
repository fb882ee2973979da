export { defineEngine, type EngineOptions } from "./device/engine/custom.ts";
export type * from "./device/engine/custom/algorithm.ts";
