import { runProcess } from './app/lifecycle.js';
import { serveWorker } from './app/serve.js';

/** Background jobs of an installation on Postgres and Redis. Start as many as there is work. */
await runProcess(serveWorker);
