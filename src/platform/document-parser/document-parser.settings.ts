import { defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const documentParserSettings = defineSettings('document-parser', 'Reading files', {
  memoryMb: int({
    env: 'PARSER_MEMORY_MB',
    default: 512,
    min: 192,
    max: 16_384,
    unit: 'MiB',
    doc: 'Memory of the process that reads one file; a file that needs more fails. There are as many such processes as documents are ingested at once.',
  }),
  timeoutSeconds: int({
    env: 'PARSER_TIMEOUT_S',
    default: 120,
    min: 1,
    max: 3600,
    unit: 's',
    doc: 'A file that takes longer to read fails.',
  }),
  maxTextChars: int({
    env: 'PARSER_MAX_TEXT_CHARS',
    default: 10_000_000,
    min: 1,
    max: 100_000_000,
    unit: 'characters',
    doc: 'A file with more text fails.',
  }),
  maxUnpackedMb: int({
    env: 'PARSER_MAX_UNPACKED_MB',
    default: 200,
    min: 1,
    max: 16_384,
    unit: 'MiB',
    doc: 'What an Office file, which is an archive, may unpack to; counted while unpacking.',
  }),
});

export type DocumentParserSettings = SettingsOf<typeof documentParserSettings>;
