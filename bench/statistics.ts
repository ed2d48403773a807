/** The value below which `share` (0 to 1) of the values lie, interpolated. NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Trend {
  /** Change of y per unit of x, by least squares. */
  readonly slope: number;
  /** Standard error of the slope; NaN for fewer than three points. */
  readonly error: number;
}

export function trend(points: readonly Point[]): Trend {
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
  const rest = points.reduce((sum, point) => sum + (point.y - y - slope * (point.x - x)) ** 2, 0);
  const freedom = points.length - 2;
  return { slope, error: freedom < 1 ? Number.NaN : Math.sqrt(rest / freedom / spread) };
}

/** Share of the expected that was found. 1 when nothing was expected. */
export function recall(found: readonly string[], expected: readonly string[]): number {
  if (expected.length === 0) return 1;
  const there = new Set(found);
  return expected.filter((id) => there.has(id)).length / expected.length;
}
