import { Injectable } from '@nestjs/common';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.js';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { CHAIN_OF_NOBODY, verify, type Link } from '../domain/chain.js';
import { AuditChainRepository } from '../persistence/audit-chain.repository.js';

/** About this many events are verified in one call. */
const MOST_EVENTS = 10_000;
/** Seals can hold a single event each. */
const MOST_READS = 25;

export interface VerifyRequest {
  /** Verify the seals that hold events of this time, ends included: instants in ISO 8601. All when undefined. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Go on after the last call. */
  readonly cursor?: string | undefined;
}

export interface Verification {
  readonly ok: boolean;
  /** First event that was changed, removed or slipped in. */
  readonly firstBadId: number | null;
  readonly checked: number;
  /** Last event that has a seal, and its hash; null while there is none. Kept elsewhere, it proves that nothing was cut off. */
  readonly head: Link | null;
  /** Verify what comes next with this; null when all is verified, or something is bad. */
  readonly nextCursor: string | null;
}

/** Compares events with their seals. Reads some seals at a time and holds no transaction across them. */
@Injectable()
export class AuditVerification {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly chains: AuditChainRepository,
  ) {}

  /** The chain of the context's tenant. @throws INVALID_CURSOR */
  async ofTenant(request: VerifyRequest): Promise<Verification> {
    return this.#verify(
      () => this.uow.tenantId,
      request,
      (read) => this.uow.read(read),
    );
  }

  /** The chain of events that belong to no tenant. @throws INVALID_CURSOR */
  async ofNobody(request: VerifyRequest): Promise<Verification> {
    return this.#verify(
      () => CHAIN_OF_NOBODY,
      request,
      (read) => this.uow.acrossTenants('auditVerification', read),
    );
  }

  async #verify(
    chain: () => string,
    { from, to, cursor }: VerifyRequest,
    short: <T>(read: () => Promise<T>) => Promise<T>,
  ): Promise<Verification> {
    const range = await short(() => this.chains.range(chain(), from ?? null, to ?? null));
    const head = (await short(() => this.chains.head(chain()))) ?? null;
    let after = cursor === undefined ? range.after : placeOf(cursor);
    let checked = 0;
    for (let reads = 0; reads < MOST_READS && checked < MOST_EVENTS; reads += 1) {
      const stretch = await short(() => this.chains.stretch(chain(), after, range.upTo));
      if (stretch.last === undefined) return { ok: true, firstBadId: null, checked, head, nextCursor: null };
      const verdict = verify(stretch);
      checked += verdict.checked;
      if (verdict.firstBadId !== undefined) {
        return { ok: false, firstBadId: verdict.firstBadId, checked, head, nextCursor: null };
      }
      after = stretch.last;
    }
    return { ok: true, firstBadId: null, checked, head, nextCursor: encodeCursor([String(after)]) };
  }
}

function placeOf(cursor: string): number {
  const [id = ''] = decodeCursor(cursor, ['text']);
  if (!/^\d{1,15}$/.test(id)) throw commonErrors.INVALID_CURSOR();
  return Number(id);
}
