const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** What one sender is assumed to have: an IPv4 address, or the first half (/64) of an IPv6 one, all of which is theirs. */
export function addressBlock(address: string): string {
  const mapped = IPV4_IN_IPV6.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const [before, after] = [words(head), words(tail ?? '')];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const all = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  const block = all.slice(0, 4).map((word) => Number.parseInt(word, 16).toString(16));
  return `${block.join(':')}::/64`;
}

function words(part: string): string[] {
  return part === '' ? [] : part.split(':');
}
