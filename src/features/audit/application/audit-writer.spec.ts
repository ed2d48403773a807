import { describe, expect, it } from '@jest/globals';
import { commonErrors } from '../../../kernel/common-errors.js';
import { silentLog } from '../../../kernel/log.js';
import { ManualClock } from '../../../kernel/time.js';
import type { UnitOfWork } from '../../../platform/db/index.js';
import type { AuditEventsRepository, AuditRow } from '../persistence/audit-events.repository.js';
import { AuditWriter } from './audit-writer.js';

const REGISTRY = {
  'test.seen': { description: '', metadata: ['n'], delivery: 'access' },
  'test.changed': { description: '', metadata: [], delivery: 'transactional' },
} as const;

function writerOver(insert: (rows: readonly AuditRow[]) => void): { writer: AuditWriter; written: unknown[] } {
  const written: unknown[] = [];
  const events = {
    insertAcrossTenants: async (rows: readonly AuditRow[]) => {
      insert(rows);
      written.push(...rows.map((row) => row.metadata_json?.['n']));
    },
  } as Partial<AuditEventsRepository> as AuditEventsRepository;
  const outside = <T>(fn: () => T): T => fn();
  const uow = { inTransaction: false, outside } as Partial<UnitOfWork> as UnitOfWork;
  return { writer: new AuditWriter(REGISTRY, events, uow, new ManualClock(), silentLog), written };
}

const note = (writer: AuditWriter, n: number) =>
  writer.note({ event: 'test.seen', outcome: 'success', metadata: { n } });

describe('AuditWriter', () => {
  it('keeps buffered events while the database is away, and writes them in order when it is back', async () => {
    let away = true;
    const { writer, written } = writerOver(() => {
      if (away) throw commonErrors.SERVICE_UNAVAILABLE();
    });
    note(writer, 1);
    await writer.flush();
    note(writer, 2);
    away = false;
    await writer.flush();
    expect(written).toEqual([1, 2]);
  });

  // One row that can never be written would otherwise end the trail for everybody.
  it('drops only the event that the database refuses', async () => {
    const { writer, written } = writerOver((rows) => {
      if (rows.some((row) => row.metadata_json?.['n'] === 2)) throw new Error('refused');
    });
    for (const n of [1, 2, 3]) note(writer, n);
    await writer.flush();
    expect(written).toEqual([1, 3]);
  });

  it('holds at most 10,000 events', async () => {
    let away = true;
    const { writer, written } = writerOver(() => {
      if (away) throw commonErrors.SERVICE_UNAVAILABLE();
    });
    for (let n = 0; n < 10_050; n += 1) note(writer, n);
    await writer.flush();
    away = false;
    await writer.flush();
    expect(written).toHaveLength(10_000);
  });

  it('refuses to write a change outside its transaction, and never throws for an access', async () => {
    const { writer, written } = writerOver(() => undefined);
    await expect(writer.record({ event: 'test.changed', outcome: 'success' })).rejects.toThrow('transaction');
    writer.note({ event: 'test.unheard-of', outcome: 'success' });
    writer.note({ event: 'test.seen', outcome: 'success', metadata: { stray: 1 } });
    await writer.flush();
    expect(written).toEqual([]);
  });
});
