export { cryptoSettings } from './crypto.settings.js';
export { masterKey } from './master-key.js';
export { SecretBox } from './secret-box.js';
