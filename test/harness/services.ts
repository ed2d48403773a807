/** Services that the suites may use; undefined means the embedded counterpart. */
export const testDatabaseUrl = process.env['TEST_DATABASE_URL'] || undefined;
export const testRedisUrl = process.env['TEST_REDIS_URL'] || undefined;
