import { z } from 'zod';
import { movesSettings, RegionKeys } from '../../features/tenant-moves/index.js';
import { defineCommand } from '../command.js';
import { CommandFailure } from '../failure.js';

export const residencyKey = defineCommand({
  name: 'residency key',
  summary: 'Print the public key of this region, for RESIDENCY_PEER_PUBLIC_KEYS_JSON of the others.',
  args: z.strictObject({}),
  local: true,
  result: z.object({ public_key: z.string() }),
  run: (context) => {
    const { privateKey } = context.settings.get(movesSettings);
    if (privateKey !== undefined) {
      return Promise.resolve({ public_key: new RegionKeys(privateKey.reveal()).publicText });
    }
    throw new CommandFailure(
      'NOT_CONFIGURED',
      'Set RESIDENCY_PRIVATE_KEY, the same as in the processes of this region. Make one with: openssl rand -base64 32',
    );
  },
  view: ({ public_key }) => ({ kind: 'lines', lines: [public_key] }),
});
