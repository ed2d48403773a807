import { defineSettings, secret, type SettingsOf } from '../../kernel/settings.js';

const MIN_LENGTH = 32;

export const cryptoSettings = defineSettings(
  'crypto',
  'Encryption at rest',
  {
    masterKey: secret({
      env: 'KEYRING_MASTER_KEY',
      doc: 'Encrypts what is stored and must be read again, such as answers kept for replays; the same in every process. Make one with: openssl rand -base64 32. Unset outside production: a random one in the data folder.',
    }),
  },
  [
    ({ masterKey }, mode) => {
      if (mode !== 'production') return undefined;
      if (masterKey === undefined) {
        return 'KEYRING_MASTER_KEY is required in production. Make one with: openssl rand -base64 32';
      }
      return masterKey.reveal().length < MIN_LENGTH
        ? `KEYRING_MASTER_KEY must have at least ${MIN_LENGTH} characters. Make one with: openssl rand -base64 32`
        : undefined;
    },
  ],
);

export type CryptoSettings = SettingsOf<typeof cryptoSettings>;
