/** How the product's value is set against the baseline's. */
export type Comparison = 'ratio' | 'difference';

export interface Goal {
  /** What must reach the limit: the product's value itself, or its comparison with the baseline. */
  readonly of: 'product' | Comparison;
  readonly sign: '≥' | '≤';
  readonly limit: number;
}

/** One measured figure. Values are medians of rounds unless the label says otherwise. */
export interface Row {
  readonly label: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly product: number;
  readonly baseline?: number;
  readonly compare?: Comparison;
  readonly goal?: Goal | undefined;
}

/** Figures that fit no row, such as several counts of each route. */
export interface Table {
  readonly columns: readonly string[];
  readonly lines: readonly (readonly (string | number)[])[];
}

export interface SectionResult {
  readonly id: string;
  readonly title: string;
  /** What was measured, against what, and how. */
  readonly method: string;
  readonly seconds: number;
  readonly rows: readonly Row[];
  /** Facts that belong to the figures, such as how many requests they come from. */
  readonly notes: readonly string[];
  readonly table?: Table;
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly node: string;
  readonly postgres: string;
  readonly sharedBuffers: string;
  readonly pgvector: string;
  readonly redis: string;
}

export interface Report {
  readonly measuredAt: string;
  readonly commit: string;
  /** Small sizes: shows that everything can be measured, says nothing about speed. */
  readonly quick: boolean;
  readonly machine: Machine;
  readonly sections: readonly SectionResult[];
}

/** Product over baseline, or product minus baseline. Undefined without a baseline. */
export function compared(row: Row, comparison = row.compare ?? 'ratio'): number | undefined {
  if (row.baseline === undefined) return undefined;
  return comparison === 'ratio' ? row.product / row.baseline : row.product - row.baseline;
}

/** Undefined without a goal. A value that could not be measured misses its goal. */
export function isMet(row: Row): boolean | undefined {
  if (row.goal === undefined) return undefined;
  const { of, sign, limit } = row.goal;
  const value = of === 'product' ? row.product : (compared(row, of) ?? Number.NaN);
  return sign === '≥' ? value >= limit : value <= limit;
}
