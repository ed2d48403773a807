export { TenantSetup } from './application/tenant-setup.js';
export { Tenants, TENANT_ID } from './application/tenants.js';
export { TenantEntity } from './persistence/tenant.entity.js';
export { TenantsModule } from './tenants.module.js';
