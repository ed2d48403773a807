import { Inject, Injectable } from '@nestjs/common';
import { commonErrors } from '../../../kernel/common-errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { TenantConfigs, type TenantConfig } from '../../residency/index.js';
import { isEmitted } from '../domain/emission.js';
import { SigningKeys } from '../domain/signing-keys.js';
import { isUlid, timeOf, Ulids } from '../domain/ulid.js';
import { ReceiptsRepository } from '../persistence/receipts.repository.js';
import { receiptsErrors } from '../receipts.errors.js';
import { receiptsSettings, type ReceiptsSettings } from '../receipts.settings.js';
import type { OpenReceipt, ReceiptWish } from './receipt-facts.js';

/** Decides, when a question is accepted, whether its answer gets a receipt, and with which id and key. */
@Injectable()
export class ReceiptOpening {
  constructor(
    private readonly configs: TenantConfigs,
    private readonly keys: SigningKeys,
    private readonly ulids: Ulids,
    private readonly uow: UnitOfWork,
    private readonly receipts: ReceiptsRepository,
    @Inject(receiptsSettings.token) private readonly settings: ReceiptsSettings,
  ) {}

  /**
   * Undefined when there is to be none. Not inside a unit of work; costs nothing while the process remembers the tenant,
   * unless a parent is named.
   *
   * @throws REQUEST_VALIDATION_ERROR for a parent that the tenant does not have; RECEIPT_SIGNING_UNAVAILABLE when the
   * tenant demands signed receipts and there is no key for it.
   */
  async open(wish: ReceiptWish): Promise<OpenReceipt | undefined> {
    if (wish.parentReceiptId !== undefined) await this.#requireParent(wish.parentReceiptId);
    const config = await this.configs.current();
    const emit = isEmitted({
      disabled: this.settings.disabled,
      tenant: config.receipts,
      requested: wish.emit,
      byDefault: this.settings.defaultMode,
    });
    return emit ? this.#opened(wish, config, config.receiptEnforcement === 'required') : undefined;
  }

  /** For a replay, which has one whatever the tenant says. */
  async openReplay(wish: Omit<ReceiptWish, 'emit'>): Promise<OpenReceipt> {
    return this.#opened({ ...wish, emit: true }, await this.configs.current(), false);
  }

  #opened({ queryId, taskId, parentReceiptId }: ReceiptWish, config: TenantConfig, required: boolean): OpenReceipt {
    const id = this.ulids.next();
    const key = this.keys.choose(config.receiptSigningKeyId, this.settings.defaultKeyId);
    if (required && key.key === undefined) throw receiptsErrors.RECEIPT_SIGNING_UNAVAILABLE();
    const tenantPin = typeof config.region === 'string' && config.region !== '' ? config.region : null;
    return { id, createdAt: timeOf(id), required, key, tenantPin, queryId, taskId, parentReceiptId };
  }

  async #requireParent(id: string): Promise<void> {
    if (isUlid(id) && (await this.uow.read(() => this.receipts.exists(id)))) return;
    const errors = [{ loc: ['body', 'parent_receipt_id'], msg: 'must be a receipt of yours', type: 'exists' }];
    throw commonErrors.REQUEST_VALIDATION_ERROR({ details: { errors } });
  }
}
