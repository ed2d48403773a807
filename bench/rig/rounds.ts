export interface Rounds<T> {
  readonly baseline: readonly T[];
  readonly product: readonly T[];
}

/** Lets baseline and product take turns, so that whatever else the machine does disturbs both alike. */
export async function interleaved<T>(
  rounds: number,
  baseline: () => Promise<T>,
  product: () => Promise<T>,
): Promise<Rounds<T>> {
  const results: { baseline: T[]; product: T[] } = { baseline: [], product: [] };
  for (let round = 0; round < rounds; round += 1) {
    results.baseline.push(await baseline());
    results.product.push(await product());
  }
  return results;
}
