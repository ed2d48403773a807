import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { currentContext } from '../../../kernel/context.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Entitlements } from '../../plans/index.js';
import { readBody, type JsonObject } from '../domain/canonical-form.js';
import { verdictOf, type Signed, type Verdict } from '../domain/signature.js';
import { SigningKeys } from '../domain/signing-keys.js';
import { isUlid } from '../domain/ulid.js';
import { columnsMatch } from '../domain/verification.js';
import {
  ReceiptsRepository,
  type ReceiptFilter,
  type ReceiptPage,
  type StoredReceipt,
} from '../persistence/receipts.repository.js';
import { receiptsErrors } from '../receipts.errors.js';
import { ReceiptChain } from './receipt-chain.js';

export type { ReceiptFilter, StoredReceipt };

/** A receipt as it is shown: what was signed, and where it is in its life. */
export interface ShownReceipt {
  readonly body: JsonObject;
  readonly status: StoredReceipt['status'];
  readonly tombstonedAt: Date | null;
  readonly outcome: JsonObject | null;
}

export interface ShownPage {
  readonly receipts: readonly ShownReceipt[];
  readonly nextCursor: string | null;
}

export interface ReceiptVerification extends Verdict {
  /** Null without an outcome. */
  readonly outcome: Pick<Verdict, 'valid' | 'reason'> | null;
  /** Null while it is not chained. */
  readonly chainValid: boolean | null;
  readonly columnsMatch: boolean;
}

/** Reads the receipts of the context's tenant. */
@Injectable()
export class Receipts {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly receipts: ReceiptsRepository,
    private readonly chain: ReceiptChain,
    private readonly keys: SigningKeys,
    private readonly entitlements: Entitlements,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws RECEIPT_NOT_FOUND, the same for a malformed id and for one of another tenant. */
  async require(id: string): Promise<StoredReceipt> {
    const receipt = isUlid(id) ? await this.uow.read(() => this.receipts.find(id)) : undefined;
    if (receipt === undefined) throw receiptsErrors.RECEIPT_NOT_FOUND();
    return receipt;
  }

  /**
   * A receipt that the principal may see: their own, or as an admin any.
   *
   * @throws RECEIPT_NOT_FOUND, also for those of colleagues; FEATURE_NOT_ENABLED for admins of tenants without the feature.
   */
  async requireReadable(id: string): Promise<StoredReceipt> {
    const receipt = await this.require(id);
    const { principal } = currentContext();
    if (receipt.caller_id === principal?.apiKeyId) return receipt;
    if (principal?.role !== 'admin') throw receiptsErrors.RECEIPT_NOT_FOUND();
    await this.entitlements.require('feature.audit_access');
    return receipt;
  }

  async show(receipt: StoredReceipt): Promise<ShownReceipt> {
    const outcome = await this.uow.read(() => this.receipts.outcome(receipt.receipt_id));
    return { ...shown(receipt), outcome: outcome === undefined ? null : whole(outcome) };
  }

  /** Newest first. The cursor is the id of the last receipt. */
  async list(filter: ReceiptFilter, limit: number, cursor?: string): Promise<ShownPage> {
    return shownPage(await this.uow.read(() => this.receipts.list([this.uow.tenantId], filter, limit, cursor)));
  }

  /** As `list`, of several tenants, for operators. */
  async listAcross(
    tenantIds: readonly string[],
    filter: ReceiptFilter,
    limit: number,
    cursor?: string,
  ): Promise<ShownPage> {
    return shownPage(
      await this.uow.acrossTenants('receipts', () => this.receipts.list(tenantIds, filter, limit, cursor)),
    );
  }

  async verify(receipt: StoredReceipt): Promise<ReceiptVerification> {
    const id = receipt.receipt_id;
    const outcome = await this.uow.read(() => this.receipts.outcome(id));
    const verification = {
      ...this.verdict(receipt),
      outcome: outcome === undefined ? null : this.#verdictOfOutcome(id, outcome),
      chainValid: await this.chain.isIntactAt(id),
      columnsMatch: columnsMatch(receipt, readBody(receipt.body_canonical)),
    };
    this.audit.note({
      event: 'receipt.verified',
      outcome: verification.valid === false ? 'failure' : 'success',
      resourceType: 'receipt',
      resourceId: id,
      metadata: { receipt_id: id, verdict: verification.reason },
    });
    return verification;
  }

  /** A row that says something else than its body is as good as a changed body. */
  verdict(receipt: StoredReceipt): Verdict {
    const verdict = verdictOf(signedOf(receipt), this.keys);
    if (verdict.valid !== true || columnsMatch(receipt, readBody(receipt.body_canonical))) return verdict;
    return { ...verdict, valid: false, reason: 'signature_mismatch' };
  }

  /** An outcome that was signed for another receipt is none of this one. */
  #verdictOfOutcome(id: string, outcome: Signed): Pick<Verdict, 'valid' | 'reason'> {
    if (readBody(outcome.canonical)?.['receipt_id'] === id) return verdictOf(outcome, this.keys);
    return { valid: false, reason: 'signature_mismatch' };
  }
}

function signedOf(receipt: StoredReceipt): Signed {
  return {
    canonical: receipt.body_canonical,
    signature: receipt.receipt_signature,
    keyId: receipt.receipt_signature_key_id,
    algorithm: receipt.receipt_signature_algorithm,
  };
}

function shown(receipt: StoredReceipt): Omit<ShownReceipt, 'outcome'> {
  return { body: whole(signedOf(receipt)), status: receipt.status, tombstonedAt: receipt.tombstoned_at };
}

function shownPage({ receipts, more }: ReceiptPage): ShownPage {
  return {
    receipts: receipts.map((receipt) => ({ ...shown(receipt), outcome: null })),
    nextCursor: more ? (receipts.at(-1)?.receipt_id ?? null) : null,
  };
}

/** A text that somebody made unreadable is shown without its fields; verification says why. */
function whole({ canonical, signature }: Signed): JsonObject {
  return { ...readBody(canonical), receipt_signature: signature };
}
