/**
 * One text for every way to write the same JSON: keys in order, no blanks, only ASCII. What JSON does not know is
 * written as JSON.stringify would, or as its text.
 */
export function canonicalJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  }) as string | undefined;
  return (text ?? 'null').replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
