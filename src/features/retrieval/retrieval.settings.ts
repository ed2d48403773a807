import { defineSettings, int, type SettingsOf } from '../../kernel/settings.js';

export const retrievalSettings = defineSettings('retrieval', 'Retrieval', {
  maxTopK: int({
    env: 'RETRIEVAL_MAX_TOP_K',
    default: 20,
    min: 1,
    max: 200,
    unit: 'passages',
    doc: 'Most passages that one question retrieves, whatever it asks for.',
  }),
});

export type RetrievalSettings = SettingsOf<typeof retrievalSettings>;
