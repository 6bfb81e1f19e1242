export declare const EMPTY: string;
export declare function openList(
  folder: string,
  mistake?: string,
): { readonly file: number; readonly count: number; readonly hash: number };
export declare function digestOf(list: { readonly count: number; readonly hash: number }): string;
