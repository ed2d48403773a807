import { describe, expect, it } from '@jest/globals';
import { LEFT_OUT } from './bounded-labels.js';
import { canonicalForm } from './canonical-form.js';
import { composeReceipt, type Assembly, type Occasion, type Selected } from './compose-receipt.js';
import { MOST_BODY_BYTES } from './receipt-body.js';

const ID = 'x'.repeat(128);
const RULE = '護'.repeat(64);

const occasion: Occasion = {
  receiptId: '01JBQ7Z0000000000000000001',
  parentReceiptId: '01JBQ7Z0000000000000000000',
  mode: 'retrieval',
  tenantId: ID,
  requestId: ID,
  queryId: '\u0001'.repeat(64),
  taskId: '\u0001'.repeat(64),
  sessionId: '\u0001'.repeat(128),
  corpusId: ID,
  querySha256: 'a'.repeat(64),
  caller: { id: ID, type: '護'.repeat(256) },
  createdAt: new Date(0),
  asOf: new Date(0),
  zone: ID,
  site: ID,
  tenantPin: ID,
};

const passage = (labels: readonly string[]): Selected => ({
  chunkId: '00000000-0000-4000-8000-000000000001',
  documentId: ID,
  documentVersion: 2 ** 31,
  chunkIndex: 2 ** 31,
  source: `document://${ID}`,
  text: 'A penguin.',
  score: 0.5,
  labels,
  redacted: false,
});

function assembly(passages: readonly Selected[], screening: Partial<Assembly['screening']> = {}): Assembly {
  return {
    provider: 'local_pgvector',
    providerRegion: ID,
    embeddingModel: ID,
    embeddingDim: 768,
    candidates: 200,
    vectorDbId: 1,
    attachmentId: ID,
    passages,
    screening: {
      bundleHash: null,
      bundleYaml: null,
      mode: 'enforce',
      unavailable: false,
      applied: [],
      skipped: [],
      ...screening,
    },
    context: '',
    topKRequested: 50,
    topKEffective: 50,
    decisions: [],
    asked: null,
  };
}

const compose = (given: Assembly) => composeReceipt(occasion, given, { requestedKeyId: ID, status: 'ok' });

describe('the body of a receipt', () => {
  // Whoever may write documents, or bundles, could otherwise keep answers from being provable.
  it('fits whatever documents and bundles are legal', () => {
    const labels = Array.from({ length: 32 }, (_, at) => `${at}:`.padEnd(256, '\u0001'));
    const body = compose(
      assembly(
        Array.from({ length: 50 }, () => passage(labels)),
        {
          bundleHash: 'a'.repeat(64),
          bundleYaml: 'x'.repeat(64 * 1024 - 2),
          applied: Array.from({ length: 200 }, () => ({
            chunk_id: '00000000-0000-4000-8000-000000000001',
            rule_id: RULE,
            action: 'redact',
            matched_labels: labels,
          })),
          skipped: Array.from({ length: 199 }, () => ({ rule_id: RULE, action: 'redact', matched: false as const })),
        },
      ),
    );
    expect(Buffer.byteLength(canonicalForm(body))).toBeLessThanOrEqual(MOST_BODY_BYTES - 1024);
    expect(body.selected_entries.map((entry) => entry.labels.at(-1))).toEqual(Array(50).fill(LEFT_OUT));
  });

  it('tells a bundle that could not be read from none', () => {
    const decisions = (unavailable: boolean) =>
      compose(assembly([], { mode: 'log_only', unavailable })).policy.decisions.map(({ code }) => code);
    expect([decisions(false), decisions(true)]).toEqual([[], ['POLICY_UNAVAILABLE']]);
  });

  it('estimates tokens by the characters of the context, not by their halves', () => {
    const context = `${'\u{10330}'.repeat(7)}\ud800a`;
    expect(compose({ ...assembly([]), context }).output.token_estimate).toBe(3);
  });

  it('has all labels of a document, as long as there is room for them', () => {
    const labels = Array.from({ length: 32 }, (_, at) => `label:${at}`);
    const { selected_entries } = compose(assembly([passage(labels), passage(['pii'])]));
    expect(selected_entries.map((entry) => entry.labels)).toEqual([labels, ['pii']]);
    const long = Array.from({ length: 32 }, (_, at) => `${at}:`.padEnd(256, '護'));
    const cut = compose(assembly([passage(long), passage(['pii']), passage(long)])).selected_entries;
    const some = [...long.slice(0, 14), LEFT_OUT];
    expect(cut.map((entry) => entry.labels)).toEqual([some, ['pii'], some]);
  });
});
