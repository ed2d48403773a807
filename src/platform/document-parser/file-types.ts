const OOXML = 'application/vnd.openxmlformats-officedocument';

/** What a parser exists for, and how its owner calls it. */
export const PARSED_TYPES = {
  'text/html': 'HTML file',
  'application/xhtml+xml': 'XHTML file',
  'text/csv': 'CSV file',
  'application/pdf': 'PDF',
  [`${OOXML}.wordprocessingml.document`]: 'Word document (DOCX)',
  [`${OOXML}.presentationml.presentation`]: 'PowerPoint presentation (PPTX)',
  [`${OOXML}.spreadsheetml.sheet`]: 'Excel workbook (XLSX)',
} as const satisfies Readonly<Record<string, string>>;

export function describeType(mediaType: string): string {
  return Object.entries(PARSED_TYPES).find(([type]) => type === mediaType)?.[1] ?? 'file of a supported type';
}
