export declare const EMPTY: string;
export declare function digestOfFolder(folder: string, thorough: boolean): Promise<string>;
