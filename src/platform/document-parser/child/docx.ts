import mammoth from 'mammoth';
import { htmlToText } from './html.js';
import { OfficeArchive } from './office-archive.js';
import type { ReaderInput } from './protocol.js';

const WORD = /wordprocessingml\.(document|template)\.main|ms-word\.(document|template)\.macroEnabled/;
const STYLES = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => h2:fresh"];
/** From a note to where it is referred to. */
const BACK_LINK = / ?<a href="#[^"]*-ref-[^"]*">↑<\/a>/g;

/** Headings, lists and tables by the styles of Word; notes at the end, headers and footers left out. */
export async function readDocx(input: ReaderInput): Promise<string> {
  const archive = await OfficeArchive.open(input, WORD);
  await archive.mainPart();
  // Pictures are not unpacked: they have no text.
  const convertImage = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));
  const { value } = await mammoth.convertToHtml(source(archive), { styleMap: STYLES, convertImage });
  return htmlToText(value.replaceAll(BACK_LINK, ''), input.maxTextChars);
}

/**
 * The archive as mammoth reads it. It takes one under `file`, which its types leave out, and would otherwise unpack the
 * file itself, without a limit.
 */
function source(archive: OfficeArchive): Parameters<typeof mammoth.convertToHtml>[0] {
  const file = {
    exists: (part: string): boolean => archive.has(part),
    read: async (part: string, encoding?: string): Promise<Uint8Array | string> => {
      const bytes = await archive.read(part);
      if (encoding === undefined) return bytes;
      return encoding === 'base64' ? bytes.toString('base64') : new TextDecoder(encoding).decode(bytes);
    },
  };
  return { file } as unknown as Parameters<typeof mammoth.convertToHtml>[0];
}
