export { TenantCache, type TenantCacheOptions, type TenantCacheParts } from './tenant-cache.js';
