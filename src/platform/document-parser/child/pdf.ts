import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getDocument, VerbosityLevel, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { pagesToText } from './pdf-layout.js';
import { linesOf, type Line } from './pdf-lines.js';
import type { ReaderInput } from './protocol.js';
import { Unreadable } from './unreadable.js';

/** Where a PDF must begin, and within how many bytes of its end it must say that it ends. */
const HEAD = 1024;
const TAIL = 4096;

const resources = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));

/** One page of text per page, in the order of the file's own text; empty pages included. */
export async function readPdf({ bytes, maxTextChars }: ReaderInput): Promise<string> {
  requireWhole(bytes);
  const task = getDocument({
    data: bytes,
    // Files of the package: text in Chinese, Japanese and Korean and in fonts that are not embedded needs them.
    cMapUrl: join(resources, 'cmaps', '/'),
    cMapPacked: true,
    standardFontDataUrl: join(resources, 'standard_fonts', '/'),
    isEvalSupported: false,
    useSystemFonts: false,
    disableFontFace: true,
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    return pagesToText(await readPages(await task.promise, maxTextChars), maxTextChars);
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') throw new Unreadable('encrypted');
    throw error;
  } finally {
    await task.destroy();
  }
}

async function readPages(document: PDFDocumentProxy, maxChars: number): Promise<Line[][]> {
  const pages: Line[][] = [];
  let chars = 0;
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const lines = linesOf(items);
    chars += lines.reduce((sum, { text }) => sum + text.length, 0);
    if (chars > maxChars) throw new Unreadable('text');
    pages.push(lines);
    page.cleanup();
  }
  return pages;
}

/** The library mends files that are cut off and loses their last pages without a word. */
function requireWhole(bytes: Uint8Array): void {
  const head = Buffer.from(bytes.subarray(0, HEAD));
  const tail = Buffer.from(bytes.subarray(-TAIL));
  if (!head.includes('%PDF-') || !tail.includes('%%EOF')) throw new Unreadable('corrupt');
}
