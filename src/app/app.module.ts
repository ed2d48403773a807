import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AuditModule } from '../features/audit/index.js';
import { AuthModule } from '../features/auth/index.js';
import { BillingModule } from '../features/billing/index.js';
import { CorporaModule } from '../features/corpora/index.js';
import { IdempotencyModule } from '../features/idempotency/index.js';
import { IngestionModule } from '../features/ingestion/index.js';
import { OpsModule } from '../features/ops/index.js';
import { PlansModule } from '../features/plans/index.js';
import { PolicyBundlesModule } from '../features/policy-bundles/index.js';
import { ProviderKeysModule } from '../features/provider-keys/index.js';
import { QuotasModule } from '../features/quotas/index.js';
import { RateLimitsModule } from '../features/rate-limits/index.js';
import { RbacAbacModule } from '../features/rbac-abac/index.js';
import { ReceiptsModule } from '../features/receipts/index.js';
import { ResidencyModule } from '../features/residency/index.js';
import { RetrievalModule } from '../features/retrieval/index.js';
import { RunModule } from '../features/run/index.js';
import { SelfServeModule } from '../features/self-serve/index.js';
import { TenantMovesModule } from '../features/tenant-moves/index.js';
import { TenantsModule } from '../features/tenants/index.js';
import { VectorDbsModule } from '../features/vector-dbs/index.js';
import { BindingsModule } from './bindings.module.js';
import { AUDIT_EVENTS } from './catalogue.js';
import type { Infrastructure } from './infrastructure.js';
import { InfrastructureModule } from './infrastructure.module.js';
import { PIPELINE_PROVIDERS } from './pipeline.js';
import { readinessChecks } from './readiness-checks.js';

/** Every feature over one infrastructure. The API, workers and commands are all made from it. */
@Module({})
export class AppModule {
  static of(infrastructure: Infrastructure): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DiscoveryModule,
        InfrastructureModule.of(infrastructure),
        BindingsModule,
        TenantsModule,
        AuditModule.forRoot(AUDIT_EVENTS),
        AuthModule,
        ResidencyModule,
        PlansModule,
        QuotasModule,
        RateLimitsModule,
        IdempotencyModule,
        RbacAbacModule,
        PolicyBundlesModule,
        ProviderKeysModule,
        CorporaModule,
        VectorDbsModule,
        RetrievalModule,
        IngestionModule,
        ReceiptsModule,
        RunModule,
        BillingModule,
        SelfServeModule,
        TenantMovesModule,
        OpsModule.forRoot(readinessChecks(infrastructure)),
      ],
      providers: PIPELINE_PROVIDERS,
    };
  }
}
