import { defineSettings, secret, url } from '../../kernel/settings.js';

/** Used by clients only, declared like all others. */
export const apiClientSettings = defineSettings('api-client', 'Clients of the API (mcpctl)', {
  hostUrl: url(['http', 'https'], {
    env: 'MCP_HOST_URL',
    default: undefined,
    doc: 'Server that mcpctl talks to. Unset: that of its profile, or http://localhost:8000.',
  }),
  hostToken: secret({
    env: 'MCP_HOST_TOKEN',
    doc: 'API key that mcpctl sends. A file (--token-file, or a profile) keeps it out of the environment.',
  }),
});
