import { z } from 'zod';

/**
 * Settings are declared once, beside their owner, and read from the environment once, at boot:
 *
 *     export const authSettings = defineSettings('auth', {
 *       cacheTtlSeconds: int({ env: 'AUTH_CACHE_TTL_S', default: 15, min: 0, max: 300, unit: 's', doc: '…' }),
 *     });
 *     type AuthSettings = SettingsOf<typeof authSettings>;
 *
 * `loadSettings` reports every fault together. `.env.example` and docs/generated/settings.md are made from the
 * declarations.
 */

/** A value that never prints. `reveal()` is the only way to read it. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

interface FieldDoc {
  /** Environment variable. */
  readonly env: string;
  /** Why and when one would change it. */
  readonly doc: string;
  readonly unit?: string;
}

export interface Field<T> extends FieldDoc {
  readonly type: string;
  readonly range?: string;
  readonly secret?: boolean;
  /** Blanks around the value are a fault, and not taken off: for names that are compared with those of others. */
  readonly exact?: true;
  /** As it would be written in the environment; undefined when there is none. */
  readonly defaultText: string | undefined;
  readonly fallback: T;
  /** Stands in for `fallback` in production, where that differs. */
  readonly productionFallback?: T;
  parse(raw: string): T;
}

type Optional<T, D> = D extends undefined ? T | undefined : T;
type Numeric<D> = FieldDoc & { readonly default: D; readonly min?: number; readonly max?: number };

function numeric<D extends number | undefined>(options: Numeric<D>, whole: boolean): Field<Optional<number, D>> {
  const { min, max } = options;
  let bounds = whole ? z.number().int('must be a whole number') : z.number();
  if (min !== undefined) bounds = bounds.min(min, `must be at least ${min}`);
  if (max !== undefined) bounds = bounds.max(max, `must be at most ${max}`);
  const schema = z
    .string()
    .trim()
    .regex(/^[+-]?(\d+\.?\d*|\.\d+)$/, 'must be a number')
    .transform(Number)
    .pipe(bounds);
  const range = min === undefined && max === undefined ? undefined : `${min ?? '…'}–${max ?? '…'}`;
  return {
    ...options,
    type: whole ? 'integer' : 'number',
    ...(range === undefined ? {} : { range }),
    defaultText: options.default === undefined ? undefined : String(options.default),
    fallback: options.default as Optional<number, D>,
    parse: (raw) => schema.parse(raw),
  };
}

/** Whole number. */
export function int<D extends number | undefined>(options: Numeric<D>): Field<Optional<number, D>> {
  return numeric(options, true);
}

export function float<D extends number | undefined>(options: Numeric<D>): Field<Optional<number, D>> {
  return numeric(options, false);
}

/** @param options.production the default in production, when it is another one. */
export function bool({
  production,
  ...options
}: FieldDoc & { readonly default: boolean; readonly production?: boolean }): Field<boolean> {
  const schema = z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], 'must be true or false'));
  return {
    ...options,
    type: 'boolean',
    defaultText: String(options.default),
    fallback: options.default,
    ...(production === undefined ? {} : { productionFallback: production }),
    parse: (raw) => ['true', '1', 'yes', 'on'].includes(schema.parse(raw)),
  };
}

export function text<D extends string | undefined>(
  options: FieldDoc & { readonly default: D; readonly pattern?: RegExp; readonly exact?: true },
): Field<Optional<string, D>> {
  const plain = options.exact === true ? z.string() : z.string().trim();
  const schema = options.pattern ? plain.regex(options.pattern, `must match ${options.pattern.source}`) : plain;
  return {
    ...options,
    type: 'text',
    defaultText: options.default,
    fallback: options.default as Optional<string, D>,
    parse: (raw) => schema.parse(raw),
  };
}

export function oneOf<const V extends string, D extends V | undefined>(
  values: readonly V[],
  options: FieldDoc & { readonly default: D },
): Field<Optional<V, D>> {
  const schema = z
    .string()
    .trim()
    .pipe(z.enum(values, `must be one of ${values.join(', ')}`));
  return {
    ...options,
    type: 'choice',
    range: values.join(' | '),
    defaultText: options.default,
    fallback: options.default as Optional<V, D>,
    parse: (raw) => schema.parse(raw),
  };
}

/** Absolute URL with one of the given schemes. May hold a password, so it never prints in full. */
export function url<D extends string | undefined>(
  protocols: readonly string[],
  options: FieldDoc & { readonly default: D; readonly secret?: boolean },
): Field<Optional<string, D>> {
  const schema = z
    .string()
    .trim()
    .refine(
      (raw) => URL.canParse(raw) && protocols.includes(new URL(raw).protocol.replace(':', '')),
      `must be a URL starting with ${protocols.map((p) => `${p}://`).join(' or ')}`,
    );
  return {
    ...options,
    type: 'URL',
    defaultText: options.default,
    fallback: options.default as Optional<string, D>,
    parse: (raw) => schema.parse(raw),
  };
}

/** Comma-separated list, blanks trimmed, empty items dropped. */
export function list(options: FieldDoc & { readonly default: readonly string[] }): Field<readonly string[]> {
  return {
    ...options,
    type: 'list',
    defaultText: options.default.join(','),
    fallback: options.default,
    parse: (raw) =>
      raw
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
  };
}

/** JSON object of names to texts. */
export function textMap(options: FieldDoc): Field<Readonly<Record<string, string>>> {
  const schema = z.record(z.string().min(1), z.string());
  return {
    ...options,
    type: 'JSON',
    defaultText: '{}',
    fallback: {},
    parse: (raw) => {
      const json = z
        .string()
        .transform((text, context): unknown => {
          try {
            return JSON.parse(text);
          } catch {
            context.addIssue({ code: 'custom', message: 'must be a JSON object such as {"a":"b"}' });
            return z.NEVER;
          }
        })
        .parse(raw);
      return schema.parse(json);
    },
  };
}

/** Instant in ISO 8601 with an offset. */
export function instant(options: FieldDoc & { readonly default: string }): Field<Date> {
  const schema = z.iso.datetime({ offset: true, error: 'must be an ISO 8601 instant such as 2026-05-10T00:00:00Z' });
  return {
    ...options,
    type: 'instant',
    defaultText: options.default,
    fallback: new Date(options.default),
    parse: (raw) => new Date(schema.parse(raw.trim())),
  };
}

export function secret(options: FieldDoc): Field<Secret | undefined> {
  return {
    ...options,
    type: 'secret',
    secret: true,
    defaultText: undefined,
    fallback: undefined,
    parse: (raw) => new Secret(raw.trim()),
  };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a group mixes fields of different value types
export type Fields = Record<string, Field<any>>;

export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export type Mode = 'development' | 'production';

/** A rule that spans fields or depends on the mode. Yields a fault that names the variable and the remedy. */
export type Rule<F extends Fields> = (values: ValuesOf<F>, mode: Mode) => string | undefined;

export interface SettingsGroup<F extends Fields = Fields> {
  readonly name: string;
  /** Injection token of the loaded group: `@Inject(authSettings.token) settings: AuthSettings`. */
  readonly token: symbol;
  readonly title: string;
  readonly fields: F;
  /** What the group's rules find wrong. A method, so that groups of any fields fit one list. */
  faults(values: ValuesOf<F>, mode: Mode): string[];
}

export type SettingsOf<G> = G extends SettingsGroup<infer F> ? ValuesOf<F> : never;

export function defineSettings<F extends Fields>(
  name: string,
  title: string,
  fields: F,
  rules: readonly Rule<F>[] = [],
): SettingsGroup<F> {
  const faults = (values: ValuesOf<F>, mode: Mode): string[] =>
    rules.map((rule) => rule(values, mode)).filter((fault) => fault !== undefined);
  return { name, token: Symbol(`settings:${name}`), title, fields, faults };
}

/** All loaded groups. `get` hands a feature its own slice; nobody passes the whole around. */
export class Settings {
  constructor(
    readonly mode: Mode,
    private readonly groups: ReadonlyMap<string, unknown>,
  ) {}

  get<F extends Fields>(group: SettingsGroup<F>): ValuesOf<F> {
    const values = this.groups.get(group.name);
    if (values === undefined) throw new Error(`Settings group ${group.name} is not in the catalogue.`);
    return values as ValuesOf<F>;
  }
}

export class SettingsError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The settings have ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n- ${faults.join('\n- ')}`);
    this.name = 'SettingsError';
  }
}

/**
 * Reads every declared variable from `env`. An empty variable counts as unset.
 *
 * @throws SettingsError naming all faults at once: bad values, unknown variables with one of our prefixes, and
 * rules that the mode adds.
 */
export function loadSettings(
  env: Readonly<Record<string, string | undefined>>,
  groups: readonly SettingsGroup[],
  prefixes: readonly string[] = [],
): Settings {
  const mode: Mode = env['NODE_ENV'] === 'production' ? 'production' : 'development';
  const loaded = new Map<string, unknown>();
  const faults = groups.flatMap((group) => {
    const { values, faults: unreadable } = readGroup(env, group, mode);
    loaded.set(group.name, Object.freeze(values));
    return unreadable.length > 0 ? unreadable : group.faults(values, mode);
  });
  const known = new Set(groups.flatMap((group) => Object.values(group.fields).map((field) => field.env)));
  for (const name of Object.keys(env)) {
    if (known.has(name) || !prefixes.some((prefix) => name.startsWith(prefix))) continue;
    faults.push(`${name} is not a setting. See docs/generated/settings.md for the names that are.`);
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return new Settings(mode, loaded);
}

function readGroup(
  env: Readonly<Record<string, string | undefined>>,
  group: SettingsGroup,
  mode: Mode,
): { values: ValuesOf<Fields>; faults: string[] } {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [key, field] of Object.entries(group.fields)) {
    const given = env[field.env] ?? '';
    const raw = field.exact === true && given.trim() !== '' ? given : given.trim();
    try {
      // What is secret is left out when the group is printed or spread.
      const fallback: unknown = (mode === 'production' ? field.productionFallback : undefined) ?? field.fallback;
      const value: unknown = raw === '' ? fallback : field.parse(raw);
      Object.defineProperty(values, key, { value, enumerable: field.secret !== true });
    } catch (error) {
      faults.push(`${field.env} ${error instanceof z.ZodError ? error.issues[0]?.message : 'is not valid'}`);
    }
  }
  return { values, faults };
}
