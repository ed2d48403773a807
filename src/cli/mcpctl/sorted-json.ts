/** JSON with the keys of every object in order, so that two outputs can be compared line by line. */
export function sortedJson(value: unknown, indent = 0): string {
  const inOrder = (_key: string, part: unknown): unknown => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.stringify(value ?? null, inOrder, indent);
}
