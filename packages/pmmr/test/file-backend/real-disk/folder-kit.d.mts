export declare const NAMES: readonly string[];
export declare const EMPTY: string;
export declare function digestOfFolder(folder: string, thorough: boolean): Promise<string>;
