import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../src/app/catalogue.js';
import { DESCRIBED, errorsOf } from './openapi.js';
import { declarations, read } from './sources.js';

/** Declared and never thrown by us. Each with the reason why it is kept. */
const RESERVED: Readonly<Record<string, string>> = {
  NOT_IMPLEMENTED: 'the documented code of status 501',
  UPSTREAM_TIMEOUT: 'the documented code of status 504',
};

/** Texts that are a contract with consoles and command lines, word for word. */
const PUBLISHED = [
  'AUTHZ_DENIED',
  'RECEIPT_NOT_FOUND',
  'VECTOR_DB_NOT_FOUND',
  'VECTOR_DB_OWNERSHIP_MISMATCH',
  'RESIDENCY_POLICY_NOT_FOUND',
  'RESIDENCY_POLICY_INACTIVE',
  'PROVIDER_KEY_BINDING_NOT_FOUND',
  'PROVIDER_KEY_BINDING_SCOPE_MISMATCH',
  'ATTACHMENT_NOT_FOUND',
  'ATTACHMENT_ALREADY_DETACHED',
  'INCIDENT_NOT_FOUND',
  'INCIDENT_ALREADY_RESOLVED',
];

const codes = [...ERRORS.keys()].sort();
/** Lists of what an operation may answer say nothing about whether it ever does. */
const throwing = declarations().filter(
  ({ path }) => !path.endsWith('.errors.ts') && !path.startsWith('src/app/generate/'),
);

/** Every `xyzErrors.CODE` in the code. */
function taken(): { path: string; code: string }[] {
  return throwing.flatMap(({ path, text }) =>
    [...text.matchAll(/\b\w*[eE]rrors(?:\.([A-Z][A-Z0-9_]+)\b|\['([\w.]+)'\])/g)].map(([, code, quoted = '']) => ({
      path,
      code: code ?? quoted,
    })),
  );
}

describe('the error catalogue', () => {
  // Clients branch on codes: one that is missing here is one that they cannot know.
  it('has exactly the codes, statuses and texts of docs/generated/errors.md', () => {
    const rows = read('docs/generated/errors.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) =>
        line
          .split('|')
          .slice(1, 4)
          .map((cell) => cell.trim()),
      );
    expect(rows.sort()).toEqual(
      codes.map((code) => [`\`${code}\``, String(ERRORS.get(code)?.status), ERRORS.get(code)?.message]),
    );
  });

  it('collects every set that the code declares', () => {
    const declared = declarations().flatMap(({ text }) =>
      [...text.matchAll(/= defineErrors\(\s*'([\w-]+)'/g)].map(([, owner]) => owner),
    );
    expect(declared.length).toBeGreaterThan(5);
    expect(declared.sort()).toEqual([...new Set([...ERRORS.values()].map(({ owner }) => owner))].sort());
  });

  it('has every code that is thrown', () => {
    expect(taken().length).toBeGreaterThan(50);
    expect(taken().filter(({ code }) => !ERRORS.has(code))).toEqual([]);
  });

  it('has every code that openapi.json documents', () => {
    const documented = new Set(
      [...DESCRIBED.values()].flatMap((operation) => errorsOf(operation)).map(({ code }) => code),
    );
    expect(documented.size).toBeGreaterThan(20);
    expect([...documented].filter((code) => !ERRORS.has(code))).toEqual([]);
  });

  it('has no code that nothing throws, but for the listed ones', () => {
    const thrown = new Set(taken().map(({ code }) => code));
    const named = (code: string): boolean =>
      throwing.some(({ path, text }) => !path.endsWith('.controller.ts') && text.includes(`'${code}'`));
    expect(codes.filter((code) => !thrown.has(code) && !named(code))).toEqual(Object.keys(RESERVED));
  });

  it('gives errors the status class of their meaning, and a text that ends', () => {
    for (const [code, { status, message, retry }] of ERRORS) {
      expect([code, status]).toEqual([code, expect.any(Number)]);
      expect(status >= 400 && status < 600).toBe(true);
      if (!PUBLISHED.includes(code)) expect([code, message]).toEqual([code, expect.stringMatching(/[.…]$/)]);
      expect([code, ['never', 'later', 'after-change'].includes(retry)]).toEqual([code, true]);
    }
  });
});
