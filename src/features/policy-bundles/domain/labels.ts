import { MAX_VALUE_LENGTH } from './bundle.js';

const MOST_LABELS = 32;
/** Keys whose value is a label by itself. */
const CLASSIFYING = ['label', 'sensitivity'];

/**
 * What rules see of the labels of a document: each `key:value`, and the bare value of those that classify; sorted, at
 * most 32. The classifying ones come first when there are too many, so that nobody crowds them out. A label that is
 * longer than a rule can name is none.
 */
export function labelsOf(stored: Readonly<Record<string, string>>): readonly string[] {
  const entries = Object.entries(stored).map(([key, value]) => [normalised(key), normalised(value)] as const);
  const classifying = entries.filter(([key]) => CLASSIFYING.includes(key));
  const pairs = [...classifying, ...entries].map(([key, value]) => `${key}:${value}`);
  const labels = [...classifying.map(([, value]) => value), ...pairs.slice(0, classifying.length), ...pairs.sort()];
  const known = labels.filter((label) => label !== '' && label.length <= MAX_VALUE_LENGTH);
  return [...new Set(known)].slice(0, MOST_LABELS).sort();
}

/** As labels are compared. */
export function normalised(label: string): string {
  return label.trim().toLowerCase();
}
