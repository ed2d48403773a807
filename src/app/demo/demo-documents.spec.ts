import { describe, expect, it } from '@jest/globals';
import { chunkV1, resolveChunkParams } from '../../features/ingestion/domain/chunker.js';
import { composeAnswer } from '../../platform/model-gateway/extractive.js';
import { fakeEmbedding } from '../../platform/model-gateway/fake-embedding.js';
import { DEMO_DOCUMENTS, demoText } from './demo-documents.js';

const chunks = DEMO_DOCUMENTS.flatMap((document) =>
  chunkV1(demoText(document), resolveChunkParams({})).map((chunk) => ({ ...chunk, documentId: document.id })),
);

/** What a run without any credential does: nearest chunks by the offline embedding, quoted. */
function ask(question: string): { nearest: string; answer: string } {
  const query = fakeEmbedding(question);
  const similarity = (text: string): number =>
    fakeEmbedding(text).reduce((sum, value, index) => sum + value * (query[index] ?? 0), 0);
  const found = [...chunks].sort((a, b) => similarity(b.text) - similarity(a.text)).slice(0, 5);
  const passages = found.map(({ text }, index) => ({ index: index + 1, text }));
  return { nearest: found[0]?.documentId ?? '', answer: composeAnswer(question, passages as never) };
}

describe('the demo documents', () => {
  it('make ten chunks, four, three and three', () => {
    const counts = DEMO_DOCUMENTS.map(({ id }) => chunks.filter(({ documentId }) => documentId === id).length);
    expect(counts).toEqual([4, 3, 3]);
  });

  // The first question that everybody copies from the banner must be answered, or the product looks broken.
  it('answer the question about release gates with the gates', () => {
    const { nearest, answer } = ask('What are the release gates for Agent 2.0?');
    expect(nearest).toBe('demo-2');
    expect(answer).toMatch(/^The release gates for Agent 2\.0 are: /);
  });

  it('answer the question about the testing strategy with its layers', () => {
    const { nearest, answer } = ask('What is the testing strategy of agent 2.0?');
    expect(nearest).toBe('demo-1');
    expect(answer).toMatch(/^The testing strategy of Agent 2\.0 has four layers/);
  });

  it('answer other plain questions about the product from the right document', () => {
    expect(ask('How do I roll back to the previous version?').answer).toContain('set the build flag');
    expect(ask('How long does shadow traffic run?').answer).toContain('seventy-two hours');
    expect(ask('Who signs off a release?').answer).toContain('sign off together');
  });
});
