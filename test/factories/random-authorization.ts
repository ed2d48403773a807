/** Random documents, principals and policies from small vocabularies, so that they often have to do with one another. */
import fc from 'fast-check';
import type { NaiveGrant, NaivePolicy } from './naive-authorization.js';

export interface RandomDocument {
  readonly corpus_id: string;
  readonly status: string;
  readonly content_type: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly grants: readonly NaiveGrant[];
}

export const NOW = new Date('2026-03-29T00:30:00.000Z');
export const CORPORA = ['legal', 'people'] as const;

const pick = fc.constantFrom;
const WORDS = [
  'finance',
  'hr',
  'ZZ',
  'é',
  '😀',
  '\uffff',
  '',
  'reader',
  'u1',
  'legal',
  '1',
  'true',
  'null',
  'text/plain',
];
const CODE = [`'; DROP TABLE documents; --`, `' OR '1'='1`, '$1', '%', '_', '.*', '(a|b)+$', '\\', '"', `O'Brien`];
const MOMENTS = [
  ...['09:00', '23:59:59', '24:00', 'soon', '2026-03-29', '2026-02-30', '2026-03-28T23:30:00.250-05:00'],
  ...['2026-03-29T01:30', '2026-03-29T00:30:00.000Z', '2026-03-30T00:00:00+00:00', '2026-03-29T05:45:59.9999+05:45'],
];
const text = fc.oneof(
  { weight: 4, arbitrary: pick('finance', 'hr') },
  { weight: 3, arbitrary: pick(...WORDS) },
  { weight: 2, arbitrary: pick(...CODE) },
  { weight: 2, arbitrary: pick(...MOMENTS) },
);
const number = pick(0, 1, 1.5, -3, 0.1, 1e21, 5e-324, 9007199254740993, 100);
const scalar = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: number },
  { weight: 1, arbitrary: pick(true, false, null) },
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: pick({}, [], { a: 1 }, { a: [1, { b: 'é' }] }, [[1], ['hr']], [{ a: 1 }], [null]) },
);

const LABELS = ['team', 'level', 'région', `o'brien`, '0', '$1'];
const KEYS = ['a', 'b', 'tags', 'when', '0', `o'b`, '😀'];

const grant: fc.Arbitrary<NaiveGrant> = fc.record({
  type: pick('user', 'role', 'group', 'api_key'),
  id: pick('u1', 'u2', 'reader', 'editor', 'admin', 'g1', 'g2', 'k1'),
  permission: pick('read', 'write', 'delete', 'reindex', 'owner', 'owner'),
  expiresAt: pick(null, null, ...[-1000, -1, 0, 1, 1000].map((ms) => new Date(NOW.getTime() + ms))),
});

export const document: fc.Arbitrary<RandomDocument> = fc.record({
  corpus_id: pick(...CORPORA),
  status: pick('queued', 'succeeded', 'failed'),
  content_type: pick('text/plain', 'application/pdf'),
  metadata: fc.dictionary(
    pick(...KEYS),
    fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.dictionary(pick(...KEYS), value) }),
  ),
  labels: fc.dictionary(pick(...LABELS), text, { maxKeys: 4 }),
  grants: fc.uniqueArray(grant, {
    maxLength: 8,
    selector: ({ type, id, permission }) => [type, id, permission].join(),
  }),
});

export const principal = fc.record({
  subjectId: pick('u1', 'u2'),
  role: pick('reader', 'editor', 'admin'),
  authMethod: pick('api_key', 'sso_session'),
  apiKeyId: pick('k1', 'k2'),
  groups: fc.subarray([
    { id: 'g1', name: 'finance' },
    { id: 'g2', name: `O'Brien` },
  ]),
  plan: pick('pro', null),
  ip: pick('10.0.0.1', null),
});

const PATHS = [
  ...['principal.id', 'principal.role', 'principal.groups', 'principal.plan', 'principal.none', 'principal'],
  ...['request.time', 'request.ip', 'request.none.at.all', 'resource.missing', 'resource.status.x'],
];
const PLACES = [
  ...['id', 'tenant_id', 'corpus_id', 'status', 'content_type', 'metadata', 'labels', 'labels.team.x'],
  ...LABELS.map((key) => `labels.${key}`),
  ...KEYS.flatMap((key) => [`metadata.${key}`, `metadata.${key}`, `metadata.${key}.a`]),
  ...['metadata.tags.0', 'metadata.b.tags', 'metadata.when.when'],
].map((place) => `resource.${place}`);
const path = fc.oneof({ weight: 1, arbitrary: pick(...PATHS) }, { weight: 4, arbitrary: pick(...PLACES) });
const variable = path.map((name) => ({ var: name }));
const operand = fc.oneof({ weight: 1, arbitrary: variable }, { weight: 2, arbitrary: value });

function twoOperands(left: fc.Arbitrary<unknown>, right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(fc.tuple(left, right), fc.record({ left, right }), fc.record({ field: path, value: right }));
}

const comparison = fc
  .tuple(
    pick('eq', 'ne', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'contains', 'starts_with'),
    fc.oneof(
      { weight: 5, arbitrary: twoOperands(variable, operand) },
      { weight: 2, arbitrary: twoOperands(operand, variable) },
    ),
  )
  .map(([operator, operands]) => ({ [operator]: operands }));

const when = pick('request.time', 'request.time', 'resource.metadata.when', 'resource.labels.level', 'request.ip').map(
  (name) => ({ var: name }),
);
const time = pick('00:00', '00:30', '01:00:00', '05:59', '22:00', '23:59:59', '2026-01-01T12:00:00+02:00');
const day = pick('2026-03-01', '2026-03-28', '2026-03-29', '2026-03-29T00:30:00Z', '2026-03-29T01:30:00+02:00');
const zone = pick('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'UTC');
const windows = fc.oneof(
  twoOperandsOf(
    when,
    fc.record({ start: time, end: time, tz: zone }, { requiredKeys: ['start', 'end'] }),
    'time_between',
  ),
  twoOperandsOf(when, fc.record({ start: day, end: day }), 'date_between'),
);

function twoOperandsOf(left: fc.Arbitrary<unknown>, right: fc.Arbitrary<unknown>, operator: string) {
  return twoOperands(left, right).map((operands) => ({ [operator]: operands }));
}

const { node } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 6, arbitrary: comparison },
    { weight: 1, arbitrary: windows },
    { weight: 1, arbitrary: pick<unknown[]>({}, null, true, false, false) },
    { weight: 2, arbitrary: fc.array(tie('node'), { maxLength: 3 }).map((all) => ({ all })) },
    { weight: 2, arbitrary: fc.array(tie('node'), { maxLength: 3 }).map((any) => ({ any })) },
    { weight: 2, arbitrary: tie('node').map((not) => ({ not })) },
  ),
}));
const condition = node.filter((json) => typeof json !== 'boolean');

/** More leaves than one statement may have. */
const LONG = { any: Array.from({ length: 250 }, (_, at) => ({ eq: [{ var: 'resource.labels.team' }, `team ${at}`] })) };
const many = fc.array(comparison, { minLength: 12, maxLength: 24 }).map((any) => ({ any }));
const faulty = pick<unknown[]>(
  ...[{ eq: 5 }, { matches: [1, 2] }, { eq: [1, 1], ne: [1, 2] }, { eq: [1, 2, 3] }, { all: {} }, { any: [3] }],
  ...[{ eq: [{ var: 'user.id' }, 1] }, { not: [true] }, { time_between: [{ var: 'request.time' }, '09:00'] }],
  ...[{ any: [true, { date_between: [{ var: 'request.time' }, { start: 'soon', end: '2026-01-01' }] }] }],
);

const parts = fc.oneof(
  { weight: 12, arbitrary: condition.map((json) => ({ condition: json, isValid: true })) },
  { weight: 1, arbitrary: many.map((json) => ({ condition: json, isValid: true })) },
  { weight: 1, arbitrary: pick({ condition: {}, isValid: true }) },
  { weight: 1, arbitrary: faulty.map((json) => ({ condition: json, isValid: false })) },
);
const policy = fc
  .record({
    effect: pick('allow' as const, 'allow' as const, 'deny' as const),
    resourceType: pick('document', 'document', 'document', 'document', '*', 'corpus'),
    action: pick('*', '*', '*', 'read', 'read', 'write'),
    priority: pick(1, 100, 100, 200, -5),
    part: parts,
  })
  .map(({ part, ...rest }) => ({ ...rest, ...part }));

export const policies: fc.Arbitrary<readonly NaivePolicy[]> = fc
  .tuple(fc.array(policy, { minLength: 1, maxLength: 7 }), fc.integer({ min: 0, max: 39 }))
  .map(([list, dice]) => {
    const long = {
      effect: 'deny',
      resourceType: '*',
      action: '*',
      priority: 0,
      condition: LONG,
      isValid: true,
    } as const;
    return (dice === 0 ? [...list, long] : list).map((each, at) => ({ ...each, id: `p${(at * 7) % 10}` }));
  });
