import { runProcess } from './app/lifecycle.js';
import { serveApi } from './app/serve.js';

/** The API, and everything else when it runs on the embedded database. */
await runProcess(serveApi);
