export { CheckpointEntity, MessageEntity, SessionEntity } from './persistence/conversation.entities.js';
export { runAudit } from './run.audit.js';
export { runErrors } from './run.errors.js';
export { RunModule } from './run.module.js';
export { runSettings } from './run.settings.js';
