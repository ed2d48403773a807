export { BillingEndpoint } from './application/billing-endpoint.js';
export { BillingEvents } from './application/billing-events.js';
export { billingAudit } from './billing.audit.js';
export { billingErrors } from './billing.errors.js';
export { BillingModule } from './billing.module.js';
export { billingSettings } from './billing.settings.js';
