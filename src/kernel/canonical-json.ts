/**
 * The text that every language writes for the same JSON, RFC 8785: keys in order, no blanks, nothing escaped that JSON does
 * not demand. For what others hash, too.
 *
 * @param isAllowed which numbers may be in it.
 * @throws Error for what is no JSON, and for another number.
 */
export function canonicalText(value: unknown, isAllowed: (number: number) => boolean = Number.isFinite): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && isAllowed(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((part) => canonicalText(part, isAllowed)).join(',')}]`;
  if (typeof value !== 'object') throw new Error(`There is no canonical text for this ${typeof value}.`);
  const object = value as Readonly<Record<string, unknown>>;
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(object[key], isAllowed)}`);
  return `{${members.join(',')}}`;
}

/**
 * One text for every way to write the same JSON: keys in order, no blanks, only ASCII. What JSON does not know is
 * written as JSON.stringify would, or as its text. For hashes that only we make: `canonicalText` is what others write.
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
