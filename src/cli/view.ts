import Table from 'cli-table3';

/** What people read. `--json` prints the result itself instead. */
export type View =
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly empty: string;
    }
  | {
      readonly kind: 'fields';
      readonly fields: readonly (readonly [name: string, value: string])[];
      readonly note?: string;
    }
  | { readonly kind: 'lines'; readonly lines: readonly string[] };

export function renderView(view: View): string {
  switch (view.kind) {
    case 'lines':
      return view.lines.map(printable).join('\n');
    case 'fields': {
      const table = new Table({ style: PLAIN });
      table.push(...view.fields.map(([name, value]) => [printable(name), printable(value)]));
      return view.note === undefined ? table.toString() : `${table.toString()}\n${view.note}`;
    }
    case 'table': {
      if (view.rows.length === 0) return view.empty;
      const table = new Table({ head: view.head.map(printable), style: PLAIN });
      table.push(...view.rows.map((row) => row.map(printable)));
      return table.toString();
    }
  }
}

const PLAIN = { head: [], border: [] };

/** Stored text must not be able to move the cursor or recolour the terminal of whoever lists it. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' ');
}
