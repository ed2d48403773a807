import { bool, defineSettings, oneOf, type SettingsOf } from '../../kernel/settings.js';

export const vectorDbsSettings = defineSettings('vector-dbs', 'Vector databases', {
  provisioner: oneOf(['none', 'external'], {
    env: 'VECTOR_DB_PROVISIONER',
    default: 'none',
    doc: 'Who creates the instances. `none`: they are registered only; `external`: somebody else does, and their address is recorded.',
  }),
  tenantAdminAccess: bool({
    env: 'VECTOR_DB_TENANT_ADMIN_ACCESS',
    default: false,
    doc: 'Lets admins act on every vector database of their tenant, not on their own only.',
  }),
  bindingTargetStrict: bool({
    env: 'BYOK_BINDING_TARGET_STRICT',
    default: false,
    doc: 'Refuses attachments through bindings that were made for something else than the vector database or {"vector_db":"*"}. Otherwise they are noted only.',
  }),
  runtimeEnforcement: bool({
    env: 'VECTOR_DB_RUNTIME_ENFORCEMENT',
    default: true,
    doc: 'Whether corpora that name a vector database are served only as its policies and keys allow.',
  }),
});

export type VectorDbsSettings = SettingsOf<typeof vectorDbsSettings>;
