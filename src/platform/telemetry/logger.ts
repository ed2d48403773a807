import { pino, type DestinationStream, type Logger } from 'pino';
import { defineSettings, oneOf, type SettingsOf } from '../../kernel/settings.js';
import { errorForLog } from './error-for-log.js';

const LEVELS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'SILENT'] as const;

export const telemetrySettings = defineSettings('telemetry', 'Logs', {
  logLevel: oneOf(LEVELS, {
    env: 'LOG_LEVEL',
    default: 'INFO',
    doc: 'Lowest level that is written. Each request is one line at INFO.',
  }),
});

export type TelemetrySettings = SettingsOf<typeof telemetrySettings>;

/** JSON lines. Credentials that reach a log object under their usual names are cut out. */
export function createLogger(settings: TelemetrySettings, destination?: DestinationStream): Logger {
  const options = {
    level: settings.logLevel.toLowerCase(),
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => errorForLog(error) },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['authorization', '*.authorization', '*.api_key', '*.password', '*.secret', '*.token'],
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
