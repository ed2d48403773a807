import type { Section } from '../rig/bench.js';
import { coldStart } from './cold-start.js';
import { decisions } from './decisions.js';
import { documentReads } from './document-reads.js';
import { ingestion } from './ingestion.js';
import { memory } from './memory.js';
import { receipts } from './receipts.js';
import { roundTrips } from './round-trips.js';
import { search } from './search.js';
import { streamedAnswers } from './streamed-answers.js';
import { trimming } from './trimming.js';

/** In the order in which they run. */
export const SECTIONS: readonly Section[] = [
  documentReads,
  streamedAnswers,
  receipts,
  search,
  trimming,
  ingestion,
  roundTrips,
  memory,
  coldStart,
  decisions,
];
