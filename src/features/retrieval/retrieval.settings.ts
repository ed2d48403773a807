import { bool, defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const retrievalSettings = defineSettings('retrieval', 'Retrieval', {
  enforceDocumentAcl: bool({
    env: 'RETRIEVAL_ENFORCE_DOCUMENT_ACL',
    default: true,
    doc: 'Questions and searches find only documents that who asks may read. DANGEROUS to turn off: then everybody who may ask a corpus gets passages of documents that they cannot open.',
  }),
  maxTopK: int({
    env: 'RETRIEVAL_MAX_TOP_K',
    default: 20,
    min: 1,
    max: 200,
    unit: 'passages',
    doc: 'Most passages that one question retrieves, whatever it asks for.',
  }),
  comparedOneByOne: int({
    env: 'RETRIEVAL_EXACT_UP_TO',
    default: 15_000,
    min: 0,
    max: 1_000_000,
    unit: 'passages',
    doc: 'Corpora up to this size are compared one by one, which is exact, and faster than the index that all corpora share.',
  }),
});

export type RetrievalSettings = SettingsOf<typeof retrievalSettings>;
