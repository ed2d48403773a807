export { cryptoSettings } from './crypto.settings.js';
export { localSecret, masterKey } from './master-key.js';
export { SecretBox } from './secret-box.js';
