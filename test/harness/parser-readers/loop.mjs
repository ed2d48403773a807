/** Never ends. The file that it reads is the name of a file for the id of its process. */
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

writeFileSync(Buffer.from(workerData.bytes).toString(), String(process.pid));
for (;;);
