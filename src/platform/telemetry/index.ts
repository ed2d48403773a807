export { createLogger, telemetrySettings, type TelemetrySettings } from './logger.js';
export { NestLogger } from './nest-logger.js';
