/**
 * Every statement of the application runs under one of these roles. Neither owns a table, so neither can switch
 * row-level security off. `APP_ROLE` sees the rows of the tenant in `app.tenant_id` and no others; `SYSTEM_ROLE`
 * sees all tenants and is taken only through `UnitOfWork.acrossTenants`.
 */
export const APP_ROLE = 'nexusrag_app';
export const SYSTEM_ROLE = 'nexusrag_system';
export const TENANT_VARIABLE = 'app.tenant_id';
