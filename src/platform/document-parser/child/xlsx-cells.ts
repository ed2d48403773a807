/** Formats that every workbook knows by number and that show a date, a time or both. */
const BUILT_IN_DATES: readonly (readonly [from: number, to: number])[] = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
];
const DAY_MS = 86_400_000;
/** Day 0 of the two calendars. The first one has a 29th of February 1900, which never was. */
const ORIGIN_1900 = Date.UTC(1899, 11, 30);
const ORIGIN_1904 = Date.UTC(1904, 0, 1);
/** The 31st of December 9999. */
const LAST_DAY = 2_958_465;

/** Tells which numbers of a workbook are dates. */
export class CellFormats {
  readonly #dates: readonly boolean[];

  /** @param formatOfStyle number of the format, by number of the style. */
  constructor(
    codes: ReadonlyMap<number, string>,
    formatOfStyle: readonly number[],
    private readonly since1904: boolean,
  ) {
    this.#dates = formatOfStyle.map((format) => showsDate(format, codes.get(format)));
  }

  show(number: number, style: number): string {
    if (this.#dates[style] !== true || number < 0 || number > LAST_DAY) return showNumber(number);
    return showDate(number, this.since1904);
  }
}

export function cellText(
  value: string,
  type: string,
  style: number,
  strings: readonly string[],
  formats: CellFormats,
): string {
  if (value === '') return '';
  if (type === 's') return unescaped(strings[Number(value)] ?? '');
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type !== 'n') return unescaped(value);
  const number = Number(value);
  return Number.isNaN(number) ? value : formats.show(number, style);
}

/** Characters that XML cannot hold are written like `_x000D_`. */
function unescaped(text: string): string {
  return text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** By its code: letters of dates outside quoted text, escaped characters, colours and currencies. */
function showsDate(format: number, code: string | undefined): boolean {
  if (code === undefined) return BUILT_IN_DATES.some(([from, to]) => format >= from && format <= to);
  const bare = code.replaceAll(/"[^"]*"|\\.|_.|\*./g, '').replaceAll(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '');
  return /[ymdhs]/i.test(bare.split(';')[0] ?? '');
}

/** As spreadsheets do, which show 15 digits: what is beyond is noise of the arithmetic. */
function showNumber(number: number): string {
  return String(Number(number.toPrecision(15)));
}

function showDate(number: number, since1904: boolean): string {
  const days = !since1904 && number > 0 && number < 60 ? number + 1 : number;
  const ms = Math.round((days * DAY_MS) / 1000) * 1000;
  const iso = new Date((since1904 ? ORIGIN_1904 : ORIGIN_1900) + ms).toISOString();
  const [day = '', time = ''] = iso.replace('.000Z', '').split('T');
  if (number < 1 && !since1904) return time;
  return time === '00:00:00' ? day : `${day} ${time}`;
}
