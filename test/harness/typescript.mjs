/** `--import` of processes that tests start from the sources: loads TypeScript as the tests themselves do. */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
