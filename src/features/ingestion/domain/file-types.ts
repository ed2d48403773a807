const OOXML = 'application/vnd.openxmlformats-officedocument';

interface FileType {
  /** Of the file's name, and of the key under which it is stored. */
  readonly extension: string;
  /** Further ones that files of this type have. */
  readonly alternatives?: readonly string[];
  /** Whether its text has pages, separated by form feeds. */
  readonly paginated: boolean;
  /** What such a file begins with. */
  readonly looks: 'pdf' | 'archive' | 'text';
}

/** Types whose files are stored as sent; their text is taken out of them when they are ingested. */
const FILE_TYPES: Readonly<Record<string, FileType>> = {
  'text/html': { extension: 'html', alternatives: ['htm'], paginated: false, looks: 'text' },
  'application/xhtml+xml': { extension: 'xhtml', paginated: false, looks: 'text' },
  'text/csv': { extension: 'csv', alternatives: ['tsv'], paginated: false, looks: 'text' },
  'application/pdf': { extension: 'pdf', paginated: true, looks: 'pdf' },
  [`${OOXML}.wordprocessingml.document`]: { extension: 'docx', paginated: false, looks: 'archive' },
  [`${OOXML}.presentationml.presentation`]: { extension: 'pptx', paginated: true, looks: 'archive' },
  [`${OOXML}.spreadsheetml.sheet`]: { extension: 'xlsx', paginated: false, looks: 'archive' },
};

/** Where a PDF may begin: readers skip what precedes its mark. */
const PDF_HEAD = 1024;
const PDF_MARK = '%PDF-';
/** In hexadecimal: a ZIP file, and what Office makes of one that has a password. */
const ARCHIVES = ['504b0304', 'd0cf11e0'];

export function isFileType(mediaType: string): boolean {
  return Object.hasOwn(FILE_TYPES, mediaType);
}

/** Whether the page of an offset is 1 + the form feeds before it. */
export function isPaginated(mediaType: string): boolean {
  return typeOf(mediaType)?.paginated ?? false;
}

/** Undefined for types that are stored as text. */
export function fileExtensionOf(mediaType: string): string | undefined {
  return typeOf(mediaType)?.extension;
}

/** @param extension in lower case, without the dot. */
export function fileTypeOfExtension(extension: string): string | undefined {
  const found = Object.entries(FILE_TYPES).find(
    ([, type]) => type.extension === extension || type.alternatives?.includes(extension) === true,
  );
  return found?.[0];
}

/** Whether the first bytes can be those of a file of the type. What else is wrong with it shows when it is ingested. */
export function looksLike(mediaType: string, bytes: Uint8Array): boolean {
  const looks = typeOf(mediaType)?.looks;
  const head = Buffer.from(bytes.subarray(0, PDF_HEAD));
  const archive = ARCHIVES.includes(head.subarray(0, 4).toString('hex'));
  if (looks === 'archive') return archive;
  if (looks === 'pdf') return head.includes(PDF_MARK);
  return looks === 'text' && !archive && head.indexOf(PDF_MARK) !== 0;
}

function typeOf(mediaType: string): FileType | undefined {
  return isFileType(mediaType) ? FILE_TYPES[mediaType] : undefined;
}
