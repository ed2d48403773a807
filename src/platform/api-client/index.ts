export { ApiClient, apiPath, type ApiAnswer, type ApiTarget } from './api-client.js';
export { ApiRefusal, ApiUnreachable, jsonOf } from './api-fault.js';
export { apiClientSettings } from './api-client.settings.js';
export { eventFeed } from './event-feed.js';
