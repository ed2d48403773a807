import Table from 'cli-table3';

/** What people read. `--json` prints the result itself instead. */
export type View =
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
      readonly empty: string;
      readonly note?: string;
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
      const table = new Table(PLAIN);
      table.push(...view.fields.map(([name, value]) => [printable(name), printable(value)]));
      return withNote(table, view.note);
    }
    case 'table': {
      if (view.rows.length === 0) return view.empty;
      const table = new Table({ head: view.head.map(printable), ...PLAIN });
      table.push(...view.rows.map((row) => row.map(printable)));
      return withNote(table, view.note);
    }
  }
}

/** Aligned columns without lines or colours: what one selects in a terminal, or cuts in a script, is the value. */
const PLAIN = {
  style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  chars: {
    ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
    ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
    ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
  },
};

function withNote(table: Table.Table, note: string | undefined): string {
  const drawn = table.toString().replace(/ +$/gm, '');
  return note === undefined ? drawn : `${drawn}\n${note}`;
}

/** Stored text must not be able to move the cursor or recolour the terminal of whoever lists it. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' ');
}
