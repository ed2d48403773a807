import { compared, isMet, type Goal, type Report, type Row, type SectionResult, type Table } from './result.js';

/** The report as Markdown: facts of the machine, missed goals, and a table per section. */
export function toMarkdown(report: Report): string {
  const { machine } = report;
  const missed = report.sections.flatMap(({ title, rows }) =>
    rows.filter((row) => isMet(row) === false).map((row) => `- ${title}: ${row.label}, goal ${goalText(row.goal)}`),
  );
  return [
    `Measured ${report.measuredAt} at commit \`${report.commit}\` on ${machine.cores} cores (${machine.cpu}), ` +
      `${machine.memoryGb} GB of memory, Node ${machine.node}, PostgreSQL ${machine.postgres} with pgvector ` +
      `${machine.pgvector} and ${machine.sharedBuffers} of shared buffers, Redis ${machine.redis}. Load, servers and ` +
      `databases share these cores.`,
    ...(report.quick ? ['**A quick run: its sizes are too small for its figures to mean anything.**'] : []),
    missed.length === 0 ? 'Every goal is met.' : `Missed goals:\n\n${missed.join('\n')}`,
    ...report.sections.map(section),
  ].join('\n\n');
}

function section({ title, method, rows, notes, table, seconds }: SectionResult): string {
  return [
    `### ${title}`,
    method,
    [
      '| figure | product | baseline | product against baseline | goal | |',
      '|---|---:|---:|---:|---|---|',
      ...rows.map(tableRow),
    ].join('\n'),
    ...(table === undefined ? [] : [tableOf(table)]),
    [...notes, `Took ${Math.round(seconds)} s.`].map((note) => `- ${note}`).join('\n'),
  ].join('\n\n');
}

function tableOf({ columns, lines }: Table): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, at) => (at === 0 ? '---' : '---:'))), ...lines.map(line)].join('\n');
}

function tableRow(row: Row): string {
  const met = isMet(row);
  const cells = [
    row.label,
    `${number(row.product)} ${row.unit}`,
    row.baseline === undefined ? '–' : `${number(row.baseline)} ${row.unit}`,
    comparisonText(row),
    goalText(row.goal),
    met === undefined ? '' : met ? 'met' : '**missed**',
  ];
  return `| ${cells.join(' | ')} |`;
}

function comparisonText(row: Row): string {
  const value = compared(row);
  if (value === undefined) return '–';
  return row.compare === 'difference'
    ? `${value < 0 ? '−' : '+'}${number(Math.abs(value))} ${row.unit}`
    : `× ${number(value)}`;
}

const GOAL_OF = { product: '', ratio: '× ', difference: 'added ' } as const;

function goalText(goal: Goal | undefined): string {
  return goal === undefined ? '' : `${GOAL_OF[goal.of]}${goal.sign} ${goal.limit}`;
}

/** Three significant digits are more than these measurements have. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return 'not measured';
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? rounded.toLocaleString('en-US') : String(rounded);
}
