import { number } from './report.js';
import type { Report, Row } from './result.js';

interface Bar {
  readonly section: string;
  readonly label: string;
  /** What the product costs as a multiple of the baseline; below 1 it is cheaper. */
  readonly cost: number;
}

const WIDTH = 900;
const LEFT = 420;
const RIGHT = 70;
const ROW = 22;
const TOP = 64;

/** Every figure that has a baseline, as a multiple of the baseline's cost, on a logarithmic axis. */
export function toSvg(report: Report): string {
  const bars = report.sections.flatMap(({ title, rows }) => rows.flatMap((row) => barOf(title, row)));
  const decades = axis(bars.map(({ cost }) => cost));
  const [least = 0, most = 1] = [decades[0], decades.at(-1)];
  const x = (cost: number): number =>
    LEFT + ((Math.log10(cost) - least) / Math.max(most - least, 1)) * (WIDTH - LEFT - RIGHT);
  const height = TOP + bars.length * ROW + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(16, 24, 'Cost of the product as a multiple of its baseline (time or memory; shorter is better)', 'start', 14),
    ...decades.map((decade) => gridLine(x(10 ** decade), 10 ** decade, height)),
    ...bars.map((bar, at) => drawn(bar, TOP + at * ROW, x)),
    `</svg>`,
    '',
  ].join('\n');
}

function barOf(section: string, row: Row): Bar[] {
  if (row.baseline === undefined) return [];
  const cost = row.better === 'lower' ? row.product / row.baseline : row.baseline / row.product;
  return Number.isFinite(cost) && cost > 0 ? [{ section, label: row.label, cost }] : [];
}

/** Powers of ten that enclose the costs, and 1. */
function axis(costs: readonly number[]): number[] {
  const logs = costs.map(Math.log10);
  const [least, most] = [Math.floor(Math.min(0, ...logs)), Math.ceil(Math.max(1, ...logs))];
  return Array.from({ length: most - least + 1 }, (_, at) => least + at);
}

function gridLine(x: number, value: number, height: number): string {
  const colour = value === 1 ? '#333' : '#ddd';
  const line = `<line x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${height - 8}" stroke="${colour}"/>`;
  return `${line}${text(x, TOP - 14, `× ${value}`, 'middle')}`;
}

function drawn({ section, label, cost }: Bar, y: number, x: (cost: number) => number): string {
  const [from, to] = [Math.min(x(1), x(cost)), Math.max(x(1), x(cost))];
  return [
    text(LEFT - 10, y + 13, `${section}: ${label}`, 'end'),
    `<rect x="${from}" y="${y + 3}" width="${Math.max(to - from, 1)}" height="${ROW - 8}" fill="#4878a8"/>`,
    text(to + 6, y + 13, number(cost), 'start'),
  ].join('');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', size = 12): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}">${escaped}</text>`;
}
