import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bannerText, type BannerFacts } from './banner.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexusrag banner-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const facts = (demo?: BannerFacts['demo']): BannerFacts => ({
  version: '1.2.3',
  port: 8123,
  header: 'Authorization',
  ...(demo === undefined ? {} : { demo }),
});

/** The arguments that a shell gives to curl when somebody pastes the command. */
function pasted(banner: string): string[] {
  const command = banner.slice(banner.indexOf('  curl '), banner.indexOf("}'") + 2);
  const script = `curl() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n${command}`;
  return execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' }).trimEnd().split('\n');
}

describe('the banner', () => {
  // The first thing that a newcomer does is to paste this command; if the shell mangles it, the product is broken.
  it('prints a command that works as pasted, with the new key', () => {
    const banner = bannerText(facts({ newKey: 'nrgk_1_abc', keyPath: join(folder, 'var/demo-admin-key') }), folder);
    expect(pasted(banner)).toEqual([
      '-N',
      '-X',
      'POST',
      'http://localhost:8123/v1/run',
      '-H',
      'Authorization: Bearer nrgk_1_abc',
      '-H',
      'Content-Type: application/json',
      '-d',
      '{"session_id":"s1","corpus_id":"c1","message":"What are the release gates for Agent 2.0?"}',
    ]);
    expect(banner).toContain('shown once, kept in var/demo-admin-key');
  });

  it('reads the key from its file at later starts, wherever that is', () => {
    for (const name of ['var', "data of O'Neill"]) {
      mkdirSync(join(folder, name));
      const keyPath = join(folder, name, 'demo-admin-key');
      writeFileSync(keyPath, 'nrgk_2_def\n');
      const banner = bannerText(facts({ keyPath }), folder);
      expect(pasted(banner)).toContain('Authorization: Bearer nrgk_2_def');
      expect(banner).not.toContain('nrgk_');
    }
  });

  it('says why the demo documents are missing', () => {
    const banner = bannerText(facts({ keyPath: '/data/key', seedFault: 'EMBEDDING_ERROR' }), folder);
    expect(banner).toContain('The demo documents are missing: EMBEDDING_ERROR');
  });

  it('tells an installation without a demo how to make a key', () => {
    const banner = bannerText(facts(), folder);
    expect(banner).toContain('nexusrag keys create');
    expect(banner).not.toContain('curl');
  });
});
