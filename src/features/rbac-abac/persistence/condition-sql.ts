import type { SqlParameters } from '../../../platform/db/index.js';
import type { Json } from '../domain/attributes.js';
import type { Comparison, Condition } from '../domain/condition.js';
import { textOf } from '../domain/evaluate.js';
import { mayBeText, termOf, type Term } from './document-terms.js';

const ORDER = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;
const NULL = `'null'::jsonb`;
/**
 * The planner can join up to so many questions about labels, which is quick for many documents. For more it would
 * take seconds: then the labels of each document are gathered once.
 */
const FEW_LABEL_TESTS = 8;

/**
 * Writes a translatable condition as SQL over a row of `documents`. No part of it is ever NULL, so that it means the
 * same under NOT, and no value is part of its text.
 */
export class ConditionSql {
  #gathersLabels = false;

  constructor(
    /** Alias of the row. */
    private readonly document: string,
    private readonly parameters: SqlParameters,
  ) {}

  of(condition: Condition): string {
    this.#gathersLabels = labelTests(condition) > FEW_LABEL_TESTS;
    const sql = this.#write(condition);
    if (!this.#gathersLabels) return sql;
    return `(SELECT ${sql} FROM (
      SELECT COALESCE(jsonb_object_agg(label.key, label.value), '{}') AS labels ${this.#labels()}) AS gathered)`;
  }

  #write(condition: Condition): string {
    if (typeof condition === 'boolean') return String(condition);
    switch (condition.op) {
      case 'all':
        return `(${condition.of.map((child) => this.#write(child)).join(' AND ')})`;
      case 'any':
        return `(${condition.of.map((child) => this.#write(child)).join(' OR ')})`;
      case 'not':
        return `NOT ${this.#write(condition.of)}`;
      case 'time_between':
      case 'date_between':
        throw new Error('Windows of time are not translatable.');
      default:
        return this.#comparison(condition);
    }
  }

  #comparison({ op, left, right }: Comparison): string {
    const [a, b] = [termOf(left), termOf(right)];
    if (a === undefined || b === undefined) throw new Error('The operand is not translatable.');
    switch (op) {
      case 'eq':
        return this.#equal(a, b);
      case 'ne':
        return `NOT ${this.#equal(a, b)}`;
      case 'in':
        return this.#in(a, b);
      case 'not_in':
        return `NOT ${this.#in(a, b)}`;
      case 'contains':
        return this.#contains(a, b);
      case 'starts_with':
        return this.#textTest(a, b, (text, prefix) => `starts_with(${text}, ${prefix})`);
      default:
        return this.#ordered(ORDER[op], a, b);
    }
  }

  #equal(a: Term, b: Term): string {
    if (b.kind === 'literal' && isTextual(a)) return this.#oneOf(a, [b.value]);
    if (a.kind === 'literal' && isTextual(b)) return this.#oneOf(b, [a.value]);
    return `(${this.#json(a)} = ${this.#json(b)})`;
  }

  #in(a: Term, list: Term): string {
    if (list.kind === 'literal') {
      if (isList(list.value)) return isTextual(a) ? this.#oneOf(a, list.value) : this.#member(a, this.#json(list));
      return list.value === null || typeof list.value === 'object' ? 'false' : this.#equal(a, list);
    }
    if (isTextual(list)) {
      return mayBeText(a) ? `COALESCE(${this.#text(a)} = ${this.#text(list)}, false)` : 'false';
    }
    const json = this.#json(list);
    return `CASE jsonb_typeof(${json}) WHEN 'array' THEN ${this.#member(a, json)}
      WHEN 'object' THEN false WHEN 'null' THEN false ELSE ${json} = ${this.#json(a)} END`;
  }

  #contains(a: Term, needle: Term): string {
    if (needle.kind === 'literal' && needle.value === null) return 'false';
    if (a.kind === 'literal' && isList(a.value)) {
      return this.#in(needle, { kind: 'literal', value: a.value.filter((item) => item !== null) });
    }
    const inText = this.#textTest(a, needle, (text, part) => `strpos(${text}, ${part}) > 0`);
    if (a.kind !== 'metadata') return inText;
    return `(${inText} OR (${this.#json(needle)} <> ${NULL} AND ${this.#member(needle, this.#json(a))}))`;
  }

  #ordered(operator: string, a: Term, b: Term): string {
    const tests: string[] = [];
    if (mayBeText(a) && mayBeText(b)) tests.push(`${this.#text(a)} COLLATE "C" ${operator} ${this.#text(b)}`);
    if (mayBeNumber(a) && mayBeNumber(b)) tests.push(`${this.#number(a)} ${operator} ${this.#number(b)}`);
    return `(${tests.map((test) => `COALESCE(${test}, false)`).join(' OR ') || 'false'})`;
  }

  #textTest(a: Term, b: Term, test: (a: string, b: string) => string): string {
    if (!mayBeText(a) || (b.kind === 'literal' && b.value === null)) return 'false';
    const text = this.#text(a);
    const part = b.kind === 'literal' ? this.#bound(textOf(b.value), 'text') : this.#text(b);
    return `COALESCE(${test(text, part)}, false)`;
  }

  /** Whether a text is one of the values; null is the value of a label that is missing. */
  #oneOf(term: Textual, values: readonly Json[]): string {
    const texts = values.filter((value) => typeof value === 'string');
    const tests: string[] = [];
    if (texts.length > 0) tests.push(this.#oneOfTexts(term, texts));
    if (term.kind === 'label' && values.includes(null)) tests.push(`${this.#text(term)} IS NULL`);
    return `(${tests.join(' OR ') || 'false'})`;
  }

  #oneOfTexts(term: Textual, texts: readonly string[]): string {
    const isOne = (text: string): string => `${text} = ANY (${this.#bound(texts, 'text[]')})`;
    if (term.kind === 'column') return isOne(this.#text(term));
    if (this.#gathersLabels) return `COALESCE(${isOne(this.#text(term))}, false)`;
    return `EXISTS (SELECT ${this.#labels()} AND label.key = ${this.#bound(term.key, 'text')} AND ${isOne('label.value')})`;
  }

  #member(item: Term, list: string): string {
    return `EXISTS (
      SELECT FROM jsonb_array_elements(CASE jsonb_typeof(${list}) WHEN 'array' THEN ${list} ELSE '[]' END) AS element (value)
       WHERE element.value = ${this.#json(item)})`;
  }

  #labels(): string {
    return `FROM document_labels label
      WHERE label.tenant_id = ${this.document}.tenant_id AND label.document_id = ${this.document}.id`;
  }

  /** NULL when it is missing. */
  #label(key: string): string {
    const name = this.#bound(key, 'text');
    if (this.#gathersLabels) return `(gathered.labels ->> ${name})`;
    return `(SELECT label.value ${this.#labels()} AND label.key = ${name})`;
  }

  /** Never NULL: what is missing is JSON's null. */
  #json(term: Term): string {
    if (term.kind === 'literal') return this.#bound(JSON.stringify(term.value), 'jsonb');
    if (term.kind === 'column') return `to_jsonb(${this.document}.${term.name})`;
    if (term.kind === 'label') return `COALESCE(to_jsonb(${this.#label(term.key)}), ${NULL})`;
    // Keys one by one: a path would index lists.
    const value = term.keys.reduce(
      (json, key) => `${json} -> ${this.#bound(key, 'text')}`,
      `${this.document}.metadata_json`,
    );
    return `COALESCE(${value}, ${NULL})`;
  }

  /** NULL for what is no text. */
  #text(term: Term): string {
    if (term.kind === 'literal') return this.#bound(term.value, 'text');
    if (term.kind === 'column') return `${this.document}.${term.name}`;
    if (term.kind === 'label') return this.#label(term.key);
    const json = this.#json(term);
    return `CASE jsonb_typeof(${json}) WHEN 'string' THEN ${json} #>> '{}' END`;
  }

  /** NULL for what is no number. As JSON, which compares numbers without loss. */
  #number(term: Term): string {
    const json = this.#json(term);
    return `CASE jsonb_typeof(${json}) WHEN 'number' THEN ${json} END`;
  }

  #bound(value: unknown, type: 'text' | 'text[]' | 'jsonb'): string {
    return `${this.parameters.add(value)}::${type}`;
  }
}

function labelTests(condition: Condition): number {
  if (typeof condition === 'boolean') return 0;
  if (condition.op === 'not') return labelTests(condition.of);
  if ('of' in condition) return condition.of.reduce((sum, child) => sum + labelTests(child), 0);
  const operands = 'right' in condition ? [condition.left, condition.right] : [condition.left];
  return operands.filter((operand) => termOf(operand)?.kind === 'label').length;
}

type Textual = Extract<Term, { kind: 'column' | 'label' }>;

/** Texts wherever they are, and known to the database as such. */
function isTextual(term: Term): term is Textual {
  return term.kind === 'column' || term.kind === 'label';
}

function mayBeNumber(term: Term): boolean {
  return term.kind === 'metadata' || (term.kind === 'literal' && typeof term.value === 'number');
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
