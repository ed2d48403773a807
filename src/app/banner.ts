import { isAbsolute, relative } from 'node:path';

export interface BannerFacts {
  readonly version: string;
  readonly port: number;
  /** Header that carries the credential. */
  readonly header: string;
  /** With the demo corpus; absent when this process has none to offer. */
  readonly demo?: {
    /** The token, when it was made at this start. */
    readonly newKey?: string;
    readonly keyPath: string;
    /** Why the documents are not there, if they are not. */
    readonly seedFault?: string;
  };
}

const QUESTION = 'What are the release gates for Agent 2.0?';

/** What the operator reads after the start. The command works as it stands, pasted into a shell in `cwd`. */
export function bannerText({ version, port, header, demo }: BannerFacts, cwd: string): string {
  const address = `http://localhost:${port}`;
  const lines = [`NexusRAG ${version} listens on ${address}`, ''];
  if (demo !== undefined) lines.push(...demoLines(demo, address, header, cwd), '');
  lines.push(`  API docs   ${address}/v1/docs`);
  if (demo === undefined) {
    lines.push('  New key    nexusrag keys create --tenant <tenant> --role admin --name <name>');
  }
  lines.push('', 'Press Ctrl-C to stop.', '');
  return lines.join('\n');
}

function demoLines(demo: NonNullable<BannerFacts['demo']>, address: string, header: string, cwd: string): string[] {
  const file = shownPath(demo.keyPath, cwd);
  const token = demo.newKey ?? `$(cat ${shellWord(file)})`;
  const body = JSON.stringify({ session_id: 's1', corpus_id: 'c1', message: QUESTION });
  return [
    'Ask the demo corpus:',
    '',
    `  curl -N -X POST ${address}/v1/run \\`,
    `    -H "${header}: Bearer ${token}" \\`,
    `    -H "Content-Type: application/json" \\`,
    `    -d '${body}'`,
    '',
    ...(demo.seedFault === undefined
      ? []
      : [`  The demo documents are missing: ${demo.seedFault}`, '  Try again with: nexusrag seed demo', '']),
    demo.newKey === undefined
      ? `  Admin key  kept in ${file}`
      : `  Admin key  ${demo.newKey} (shown once, kept in ${file})`,
  ];
}

/** Short when the file is below the working directory. */
function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
