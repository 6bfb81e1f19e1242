/**
 * The native addon `roaring`, or `undefined` where it is not installed or does not load: it is an
 * optional peer, so tests that want it run without it too, and say that they did.
 */
export async function loadRoaring(): Promise<unknown> {
  // A name that is not a literal: the compiler need not find the package either.
  const name: string = "roaring";
  try {
    const module = (await import(name)) as { readonly default: unknown };
    return module.default;
  } catch {
    return undefined;
  }
}
