/**
 * Decisions as the specification words them, with nothing taken from the engine: slow, plain, and the judge of it.
 * Knows valid conditions only; which are not, the caller tells.
 */
export interface NaivePolicy {
  readonly id: string;
  readonly effect: 'allow' | 'deny';
  readonly resourceType: string;
  readonly action: string;
  readonly condition: unknown;
  readonly priority: number;
  readonly isValid: boolean;
}

export interface NaiveGrant {
  readonly type: string;
  readonly id: string;
  readonly permission: string;
  readonly expiresAt: Date | null;
}

export interface NaiveQuestion {
  readonly action: string;
  readonly now: Date;
  readonly who: {
    readonly subjectId: string;
    readonly role: string;
    readonly authMethod: string;
    readonly apiKeyId: string;
    readonly groupIds: readonly string[];
  };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly grants: readonly NaiveGrant[];
  readonly policies: readonly NaivePolicy[];
  readonly switches: { readonly abacEnabled: boolean; readonly defaultDeny: boolean; readonly bypassesGrants: boolean };
}

export interface NaiveAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly policyId: string | null;
}

export function naiveDecision(question: NaiveQuestion): NaiveAnswer {
  const answer = (allowed: boolean, reason: string, policyId: string | null = null): NaiveAnswer => ({
    allowed,
    reason,
    policyId,
  });
  const { grants, policies, action, attributes, switches } = question;
  if (!switches.bypassesGrants && !grants.some((grant) => counts(grant, question))) {
    return answer(false, 'document_acl_denied');
  }
  if (!switches.abacEnabled) return answer(true, 'abac_disabled');
  const inScope = policies
    .filter(({ resourceType }) => ['document', '*'].includes(resourceType))
    .filter((policy) => [action, '*'].includes(policy.action));
  for (const effect of ['deny', 'allow']) {
    const pass = inScope.filter((policy) => policy.effect === effect);
    pass.sort((a, b) => b.priority - a.priority || (a.id > b.id ? 1 : -1));
    for (const policy of pass) {
      if (!policy.isValid) return answer(false, 'policy_invalid', policy.id);
      if (naiveCondition(policy.condition, attributes))
        return answer(effect === 'allow', `policy_${effect}`, policy.id);
    }
  }
  return switches.defaultDeny ? answer(false, 'default_deny') : answer(true, 'default_allow');
}

const IMPLIED: Readonly<Record<string, string>> = {
  read: 'read',
  write: 'read write',
  delete: 'read write delete',
  reindex: 'read reindex',
  owner: 'read write delete reindex',
};

function counts(grant: NaiveGrant, { now, action, who }: NaiveQuestion): boolean {
  if (grant.expiresAt !== null && grant.expiresAt.getTime() <= now.getTime()) return false;
  if (!(IMPLIED[grant.permission] ?? '').split(' ').includes(action)) return false;
  if (grant.type === 'user') return grant.id === who.subjectId;
  if (grant.type === 'role') return grant.id === who.role;
  if (grant.type === 'api_key') return who.authMethod === 'api_key' && grant.id === who.apiKeyId;
  return who.groupIds.includes(grant.id);
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

function naiveCondition(node: unknown, attributes: Fields): boolean {
  if (node === null || typeof node === 'boolean') return node ?? true;
  const entry = Object.entries(node as Fields)[0];
  if (entry === undefined) return true;
  const [operator, payload] = entry;
  const children = payload as unknown[];
  if (operator === 'all') return children.filter((child) => !naiveCondition(child, attributes)).length === 0;
  if (operator === 'any') return children.filter((child) => naiveCondition(child, attributes)).length > 0;
  if (operator === 'not') return !naiveCondition(payload, attributes);
  const { field, value, left, right } = fieldsOf(payload) ?? { left: children[0], right: children[1] };
  const a = field === undefined ? resolve(left, attributes) : resolve({ var: field }, attributes);
  const rest = field === undefined ? right : value;
  if (operator === 'time_between') return timeBetween(a, rest as Window);
  if (operator === 'date_between') return dateBetween(a, rest as Window);
  return compares(operator, a, resolve(rest, attributes));
}

function resolve(operand: unknown, attributes: Fields): unknown {
  const path = fieldsOf(operand)?.['var'];
  if (typeof path !== 'string') return operand;
  let at: unknown = attributes;
  for (const key of path.split('.')) {
    const fields = fieldsOf(at);
    if (fields === undefined || !Object.keys(fields).includes(key)) return null;
    at = fields[key];
  }
  return at;
}

function compares(operator: string, a: unknown, b: unknown): boolean {
  if (operator === 'eq') return canonical(a) === canonical(b);
  if (operator === 'ne') return canonical(a) !== canonical(b);
  if (operator === 'in') return within(a, b);
  if (operator === 'not_in') return !within(a, b);
  if (operator === 'contains') {
    if (b === null) return false;
    if (typeof a === 'string') return a.split(jsonText(b)).length > 1 || jsonText(b) === '';
    return Array.isArray(a) && within(b, a);
  }
  if (operator === 'starts_with') return typeof a === 'string' && b !== null && a.indexOf(jsonText(b)) === 0;
  const sign = compareAlike(a, b);
  if (sign === undefined) return false;
  return { gt: sign > 0, gte: sign >= 0, lt: sign < 0, lte: sign <= 0 }[operator] ?? false;
}

/** Equal values have equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const fields = fieldsOf(value);
  if (fields === undefined) return JSON.stringify(value);
  const parts = Object.keys(fields).sort();
  return `{${parts.map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`).join()}}`;
}

function within(value: unknown, list: unknown): boolean {
  if (Array.isArray(list)) return list.map(canonical).includes(canonical(value));
  return list !== null && fieldsOf(list) === undefined && canonical(list) === canonical(value);
}

const jsonText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function compareAlike(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return Math.sign(a - b);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return undefined;
}

interface Window {
  readonly start: string;
  readonly end: string;
  readonly tz?: string;
}

const CLOCK = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?';
const TIME = new RegExp(`^${CLOCK}$`);
const DATE_TIME = new RegExp(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T${CLOCK}([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$`);

/** `HH:MM:SS.mmm`, which texts of compare like the times. */
function wallClock(value: unknown, zone?: string): string | undefined {
  if (typeof value !== 'string') return undefined;
  const full = (time: string): string => time + '00:00:00.000'.slice(time.length);
  if (TIME.test(value)) return full(value);
  const instant = toInstant(value);
  if (!DATE_TIME.test(value) || instant === undefined) return undefined;
  if (zone === undefined)
    return full(
      value
        .slice(11)
        .replace(/Z|[+-].*/, '')
        .slice(0, 12),
    );
  const there = new Date(instant).toLocaleString('sv-SE', { timeZone: zone });
  return `${there.slice(11)}${new Date(instant).toISOString().slice(19, 23)}`;
}

function timeBetween(value: unknown, { start, end, tz }: Window): boolean {
  const [time, from, to] = [wallClock(value, tz), wallClock(start), wallClock(end)];
  if (time === undefined || from === undefined || to === undefined) return false;
  return from <= to ? from <= time && time <= to : from <= time || time <= to;
}

function toInstant(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const isDate = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value);
  if (!isDate && !DATE_TIME.test(value)) return undefined;
  const [year = 0, month = 0, day = 0] = value.slice(0, 10).split('-').map(Number);
  if (day === 0 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const hasOffset = isDate || /(Z|[+-][0-9]{2}:[0-9]{2})$/.test(value);
  const instant = Date.parse(hasOffset ? value : `${value}Z`);
  return Number.isNaN(instant) ? undefined : instant;
}

function dateBetween(value: unknown, { start, end }: Window): boolean {
  const [instant, from, to] = [toInstant(value), toInstant(start), toInstant(end)];
  if (instant === undefined || from === undefined || to === undefined) return false;
  return from <= instant && (end.length === 10 ? instant < to + 24 * 3_600_000 : instant <= to);
}
