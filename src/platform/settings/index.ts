export { clientSettings, configFolder, settingsFromEnvironment } from './environment.js';
