export { settingsFromEnvironment } from './environment.js';
