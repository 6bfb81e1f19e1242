export { hashtreeEngine, type Hashtree, type HashtreeEngineOptions } from "./engine.ts";
