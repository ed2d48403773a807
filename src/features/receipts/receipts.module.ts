import { Module } from '@nestjs/common';
import { Ids } from '../../kernel/ids.js';
import { Clock } from '../../kernel/time.js';
import { dbSettings, type DbSettings } from '../../platform/db/index.js';
import { CorporaModule } from '../corpora/index.js';
import { PlansModule } from '../plans/index.js';
import { ResidencyModule } from '../residency/index.js';
import { RetrievalModule } from '../retrieval/index.js';
import { VectorDbsModule } from '../vector-dbs/index.js';
import { PublicKeys } from './application/public-keys.js';
import { QuestionVault } from './application/question-vault.js';
import { ReceiptChain } from './application/receipt-chain.js';
import { ReceiptErasure } from './application/receipt-erasure.js';
import { ReceiptOpening } from './application/receipt-opening.js';
import { ReceiptRetention } from './application/receipt-retention.js';
import { ReceiptRetries } from './application/receipt-retries.js';
import { ReceiptWriter } from './application/receipt-writer.js';
import { ReceiptsOfTenants } from './application/receipts-of-tenants.js';
import { Receipts } from './application/receipts.js';
import { Replays } from './application/replays.js';
import { signingKeys } from './application/signing-keys.js';
import { SigningKeys } from './domain/signing-keys.js';
import { Ulids } from './domain/ulid.js';
import { AdminReceiptsController } from './http/admin-receipts.controller.js';
import { ReceiptKeysController } from './http/receipt-keys.controller.js';
import { ReceiptsController } from './http/receipts.controller.js';
import { ReceiptChainRepository } from './persistence/receipt-chain.repository.js';
import { ReceiptRetentionRepository } from './persistence/receipt-retention.repository.js';
import { ReceiptsRepository } from './persistence/receipts.repository.js';
import { keysOf, receiptsSettings, type ReceiptsSettings } from './receipts.settings.js';

@Module({
  imports: [CorporaModule, PlansModule, ResidencyModule, RetrievalModule, VectorDbsModule],
  controllers: [ReceiptsController, AdminReceiptsController, ReceiptKeysController],
  providers: [
    ReceiptChainRepository,
    ReceiptRetentionRepository,
    ReceiptsRepository,
    QuestionVault,
    ReceiptChain,
    ReceiptErasure,
    ReceiptOpening,
    ReceiptRetention,
    ReceiptRetries,
    ReceiptWriter,
    Receipts,
    ReceiptsOfTenants,
    Replays,
    { provide: Ulids, inject: [Clock, Ids], useFactory: (clock: Clock, ids: Ids) => new Ulids(clock, ids) },
    {
      provide: SigningKeys,
      inject: [receiptsSettings.token, dbSettings.token],
      useFactory: (settings: ReceiptsSettings, db: DbSettings) => signingKeys(settings, db, true),
    },
    {
      provide: PublicKeys,
      inject: [receiptsSettings.token],
      useFactory: (settings: ReceiptsSettings) =>
        new PublicKeys(keysOf(settings).ed25519.map(({ publicKey }) => publicKey)),
    },
  ],
  exports: [ReceiptChain, ReceiptErasure, ReceiptOpening, ReceiptRetention, ReceiptWriter],
})
export class ReceiptsModule {}
