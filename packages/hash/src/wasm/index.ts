export { createWasmEngine, preferredEngine, type WasmEngineOptions } from "./engine.ts";
