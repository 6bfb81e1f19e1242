export { nodeFileSystem, type NodeFileSystemOptions } from "./node-file-system.ts";
