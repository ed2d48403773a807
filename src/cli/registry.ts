import type { Command } from './command.js';
import { doctor } from './commands/doctor.js';
import { keysCreate } from './commands/keys-create.js';
import { keysList } from './commands/keys-list.js';
import { keysRevoke } from './commands/keys-revoke.js';
import { keysRotate } from './commands/keys-rotate.js';
import { migrateDown, migrateStatus, migrateUp } from './commands/migrate.js';
import { providerSmoke } from './commands/provider-smoke.js';
import { seedDemoCommand } from './commands/seed-demo.js';

/** Every command, in the order of the help text. */
export const COMMANDS: readonly Command[] = [
  doctor,
  keysCreate,
  keysList,
  keysRevoke,
  keysRotate,
  migrateUp,
  migrateDown,
  migrateStatus,
  providerSmoke,
  seedDemoCommand,
];
