/** Of all entries of a receipt, and of all its filters, as JSON: labels are written by whoever may write documents. */
export const MOST_LABEL_BYTES = 32 * 1024;
/** Stands in a list for the labels that found no room. */
export const LEFT_OUT = '…';

/** The lists as they are; where they are larger together than the bound, each is cut to its share of it. */
export function boundedLabels(lists: readonly (readonly string[])[]): (readonly string[])[] {
  const total = lists.reduce((bytes, labels) => bytes + bytesOf(labels), 0);
  const share = Math.floor(MOST_LABEL_BYTES / lists.length);
  return total <= MOST_LABEL_BYTES ? [...lists] : lists.map((labels) => cut(labels, share));
}

function cut(labels: readonly string[], most: number): readonly string[] {
  if (bytesOf(labels) <= most) return labels;
  const kept: string[] = [];
  for (const label of labels) {
    if (bytesOf([...kept, label, LEFT_OUT]) <= most) kept.push(label);
  }
  return [...kept, LEFT_OUT];
}

function bytesOf(labels: readonly string[]): number {
  return Buffer.byteLength(JSON.stringify(labels));
}
