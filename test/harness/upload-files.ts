import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let marks = 0;

/** Words that no other upload holds, by which its temporary file is found. */
export function uploadMark(): string {
  return `Upload ${process.pid}-${(marks += 1)} about krill.`;
}

/** Temporary folders of this process's uploads; suites in one process run one after another. */
export function uploadFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`nexusrag-upload-${process.pid}-`));
}

/** Temporary files of uploads that begin with these words. Other processes use the folder, too. */
export function uploadsOf(words: string): string[] {
  const begins = (file: string): boolean => {
    try {
      return readFileSync(file).subarray(0, words.length).toString() === words;
    } catch {
      return false; // removed in the meantime
    }
  };
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith('nexusrag-upload-'))
    .flatMap((name) => filesIn(join(tmpdir(), name)))
    .filter(begins);
}

function filesIn(path: string): string[] {
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    return [];
  }
}
