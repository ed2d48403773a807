export { DocumentParser, type ParsedFile } from './document-parser.js';
export { documentParserErrors } from './document-parser.errors.js';
export { documentParserSettings, type DocumentParserSettings } from './document-parser.settings.js';
export { ProcessDocumentParser, type ParserProgram } from './process-document-parser.js';
