export { ApiKeys, type CreatedKey, type CreateKey } from './application/api-keys.js';
export type { ApiKeyRecord } from './persistence/api-keys.repository.js';
export { authAudit } from './auth.audit.js';
export { authErrors } from './auth.errors.js';
export { AuthModule } from './auth.module.js';
export { authSettings } from './auth.settings.js';
export { Authenticate } from './http/authenticate.guard.js';
export { ApiKeyEntity } from './persistence/api-key.entity.js';
export { UserEntity } from './persistence/user.entity.js';
