import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ArchiveReader, frameLength, NotAnArchive, writeLabel } from './archive.js';
import { NotTar, readTar, writeTar } from './tar.js';

const LABEL = { export_id: '3f0c5a52-9d0c-4b52-8c1a-0f4a5a0f2c11', target_region: 'us' };
const FRAMES = ['first', '', 'x'.repeat(70_000)].map((text) => Buffer.from(text));
const ARCHIVE = Buffer.concat([
  Buffer.from(writeLabel(LABEL)),
  ...FRAMES.flatMap((frame) => [frameLength(frame), frame]),
]);
const LIMITS = { total: 1_000_000, frame: 100_000 };

function inPieces(bytes: Buffer, size: number): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces);
}

async function readAll(bytes: Buffer, size: number, limits = LIMITS): Promise<unknown> {
  const reader = new ArchiveReader(inPieces(bytes, size), limits);
  const label = await reader.label();
  const frames = [await reader.frame(), await reader.frame(), await reader.frame()];
  await reader.end();
  return [{ export_id: label.export_id, target_region: label.target_region }, frames];
}

describe('an archive', () => {
  it.each([1, 7, 1000, 1_000_000])('is read however it arrives: in pieces of %i bytes', async (size) => {
    expect(await readAll(ARCHIVE, size)).toEqual([LABEL, FRAMES]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no label', Buffer.alloc(5000, 'x')],
    ['another label', Buffer.from('{"archive":"other"}\n')],
    ['a part of it', ARCHIVE.subarray(0, -1)],
    ['more', Buffer.concat([ARCHIVE, Buffer.of(0)])],
    ['a frame without end', Buffer.concat([Buffer.from(writeLabel(LABEL)), Buffer.alloc(4, 0xff)])],
  ])('is not %s', async (_what, bytes) => {
    await expect(readAll(bytes, 1000)).rejects.toThrow(NotAnArchive);
  });

  it('is read no further than it may be long', async () => {
    await expect(readAll(ARCHIVE, 1000, { total: 50_000, frame: 100_000 })).rejects.toThrow(/too large/);
  });
});

describe('a tar', () => {
  const entries = [
    { name: '000001-documents.ndjson', content: Buffer.from('{"id":"d"}\n') },
    { name: 'empty', content: Buffer.alloc(0) },
    { name: 'whole block', content: Buffer.alloc(512, 1) },
  ];

  it('gives back what was put in', () => {
    const read = readTar(writeTar(entries)).map(({ name, content }) => ({ name, content: Buffer.from(content) }));
    expect(read).toEqual(entries);
  });

  it('is not read when a header was changed or its end is missing', () => {
    const bytes = writeTar(entries);
    const changed = Buffer.from(bytes);
    changed[110] = 65;
    for (const wrong of [changed, bytes.subarray(0, 600), bytes.subarray(0, 300)]) {
      expect(() => readTar(Buffer.from(wrong))).toThrow(NotTar);
    }
  });
});
