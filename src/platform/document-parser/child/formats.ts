import type { PARSED_TYPES } from '../file-types.js';
import type { ReaderInput } from './protocol.js';

/** @throws Unreadable; any other error means that the file is corrupt. */
export type Format = (input: ReaderInput) => Promise<string> | string;

/** Loaded when needed: the libraries take longer to load than most files to read. */
const FORMATS: Readonly<Record<keyof typeof PARSED_TYPES, () => Promise<Format>>> = {
  'text/html': async () => (await import('./html.js')).readHtml,
  'application/xhtml+xml': async () => (await import('./html.js')).readHtml,
  'text/csv': async () => (await import('./csv.js')).readCsv,
  'application/pdf': async () => (await import('./pdf.js')).readPdf,
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': async () =>
    (await import('./docx.js')).readDocx,
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': async () =>
    (await import('./pptx.js')).readPptx,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': async () => (await import('./xlsx.js')).readXlsx,
};

/** @throws Error for a type that has no reader, or whose library cannot be loaded. */
export async function formatOf(mediaType: string): Promise<Format> {
  const found = Object.entries(FORMATS).find(([type]) => type === mediaType);
  if (found === undefined) throw new Error('No reader for this type.');
  return found[1]();
}
