import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '../options.js';
import type { SectionResult } from '../result.js';
import type { Services } from './services.js';

/** What one run of the benchmark shares: its options and services, and what must be undone at its end. */
export class Bench {
  /** For data of the servers; deleted at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'nexusrag-bench-'));
  readonly #undo: (() => Promise<void>)[] = [];

  constructor(
    readonly services: Services,
    readonly options: Options,
  ) {}

  /** The first for a full run, the second for a quick one. */
  size(full: number, quick: number): number {
    return this.options.quick ? quick : full;
  }

  /** How often product and baseline take turns. */
  get rounds(): number {
    return this.size(3, 1);
  }

  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** Undone in reverse order, by `close` or by the end of the section. */
  onClose(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  async close(): Promise<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly method: string;
  run(bench: Bench): Promise<Pick<SectionResult, 'rows' | 'notes' | 'table'>>;
}
