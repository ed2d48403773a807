/** Why a file could not be read. The parent makes public errors of these. */
export type Fault = 'encrypted' | 'corrupt' | 'memory' | 'text' | 'unpacked' | 'blank';

/** Parent to child, once; the bytes of the file follow on the standard input. */
export interface ParseRequest {
  /** Module that the child runs in a thread; see `ReaderInput` and `ReaderOutput`. */
  readonly reader: string;
  readonly mediaType: string;
  /** For the whole child process. */
  readonly memoryBytes: number;
  readonly maxTextChars: number;
  readonly maxUnpackedBytes: number;
}

/** Child to parent, once. The text is written to the standard output before it. `crash` is no fault of the file. */
export type ParseReport =
  { readonly fault?: undefined } | { readonly fault: Fault | 'crash'; readonly detail?: string };

/** What the reading thread gets as its `workerData`. */
export interface ReaderInput {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly maxTextChars: number;
  readonly maxUnpackedBytes: number;
}

/** What the reading thread posts, once. */
export type ReaderOutput = { readonly text: string } | { readonly fault: Fault; readonly detail?: string };
