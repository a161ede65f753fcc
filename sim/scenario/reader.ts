/**
 * Readers: each takes a YAML node to a typed value, or says at which line and column what is wrong and how to mend it. Each also tells
 * its JSON schema, so that editors complete and check what the simulator accepts.
 */
import { isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import { didYouMean } from './near-miss.js';

export interface Problem {
  /** `line:column`, from 1; for a value of the command line the option that gave it. */
  place: string;
  /** Field by field from the top: `devices.lobby.mac`. */
  path: string;
  message: string;
}

/** What is wrong at a place of a scenario that could be read. */
export type ReportProblem = (path: readonly (string | number)[], message: string) => void;

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Reader<T> {
  /** Undefined after at least one problem has been reported. */
  read(source: Source): T | undefined;
  readonly schema: JsonSchema;
}

/** Problems after which reading is given up: more of them help nobody. */
const PROBLEM_LIMIT = 20;

/** A node, where it stands, and where problems go. */
export class Source {
  constructor(
    readonly node: Node | null,
    readonly path: string,
    readonly document: { place(node: Node | null): string; problems: Problem[] },
    /** Where an absent node would stand. */
    readonly anchor: Node | null = null,
  ) {}

  field(name: string | number, node: Node | null, anchor: Node | null = null): Source {
    return new Source(node, this.path === '' ? String(name) : `${this.path}.${name}`, this.document, anchor);
  }

  /** Reports and gives undefined, so that a reader can return it. */
  problem(message: string, at: Node | null = this.node ?? this.anchor): undefined {
    const { problems } = this.document;
    if (problems.length < PROBLEM_LIMIT) problems.push({ place: this.document.place(at), path: this.path, message });
    return undefined;
  }
}

/** A string; a bare number is refused, because YAML would have dropped its leading zeros and its trailing ones. */
export const text: Reader<string> = {
  schema: { type: 'string' },
  read: (source) => {
    const { node } = source;
    if (!isScalar(node) || node.value === null) return source.problem('a text is expected here');
    if (typeof node.value === 'string') return node.value;
    return source.problem(`${written(node)} is a ${typeof node.value} here; quote it: "${written(node)}"`);
  },
};

export const written = (scalar: Scalar): string => scalar.source ?? String(scalar.value);

/** A text that `parse` understands; `example` shows one that it would. */
export function parsed<T>(parse: (text: string) => T | undefined, expected: string, schema: JsonSchema = {}): Reader<T> {
  return {
    schema: { type: 'string', ...schema },
    read: (source) => {
      const { node } = source;
      if (!isScalar(node) || node.value === null) return source.problem(`${expected} is expected here`);
      return parse(written(node)) ?? source.problem(`"${written(node)}" is not ${expected}`);
    },
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Reader<T> {
  return {
    schema: { enum: values },
    read: (source) => {
      const { node } = source;
      const given = isScalar(node) ? written(node) : undefined;
      const value = values.find((candidate) => candidate === given);
      if (value !== undefined || given === undefined) return value ?? source.problem(`one of ${values.join(', ')} is expected here`);
      return source.problem(`"${given}" is none of ${values.join(', ')}${didYouMean(given, values)}`);
    },
  };
}

export function integer(least: number, most: number): Reader<number> {
  return {
    schema: { type: 'integer', minimum: least, maximum: most },
    read: (source) => {
      const { node } = source;
      const value = isScalar(node) && /^\d{1,9}$/.test(written(node)) ? Number(written(node)) : Number.NaN;
      return value >= least && value <= most ? value : source.problem(`a whole number from ${least} to ${most} is expected here`);
    },
  };
}

/** Every value of a map by its name; `key` says what is wrong with a name. */
export function record<T>(value: Reader<T>, key: (name: string) => string | undefined = () => undefined): Reader<ReadonlyMap<string, T>> {
  return {
    schema: { type: 'object', additionalProperties: value.schema },
    read: (source) => {
      if (!isMap(source.node)) return source.problem('a map is expected here: name: value');
      const values = new Map<string, T>();
      for (const [name, field] of pairs(source, source.node)) {
        const wrong = key(name);
        const read = wrong === undefined ? value.read(field) : field.problem(wrong);
        if (read !== undefined) values.set(name, read);
      }
      return values;
    },
  };
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema },
    read: (source) => {
      if (!isSeq(source.node)) return source.problem('a list is expected here: - …');
      return source.node.items.flatMap((node, i) => item.read(source.field(i, node as Node)) ?? []);
    },
  };
}

/** What `refine` made of a value; undefined after it has reported a problem. */
export function refined<T, U>(reader: Reader<T>, refine: (value: T, source: Source) => U | undefined): Reader<U> {
  return {
    schema: reader.schema,
    read: (source) => {
      const value = reader.read(source);
      return value === undefined ? undefined : refine(value, source);
    },
  };
}

export interface Field<T> {
  reader: Reader<T>;
  required: boolean;
  about: string;
}
export interface RequiredField<T> extends Field<T> {
  required: true;
}
export interface OptionalField<T> extends Field<T> {
  required: false;
}
export const required = <T>(reader: Reader<T>, about: string): RequiredField<T> => ({ reader, required: true, about });
export const optional = <T>(reader: Reader<T>, about: string): OptionalField<T> => ({ reader, required: false, about });

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;
export type ObjectOf<F extends Fields> = { [N in keyof F as F[N] extends RequiredField<unknown> ? N : never]: ValueOf<F[N]> } & {
  [N in keyof F as F[N] extends OptionalField<unknown> ? N : never]?: ValueOf<F[N]>;
};

/** A map with exactly these fields; `others`, where given, reads every further one. */
export function object<F extends Fields>(fields: F): Reader<ObjectOf<F>> {
  const { read, schema } = objectWith(fields, undefined);
  return { schema, read: (source) => read(source)?.known };
}

export function objectAnd<F extends Fields, T>(
  fields: F,
  others: Reader<T>,
): Reader<{ known: ObjectOf<F>; others: ReadonlyMap<string, T> }> {
  return objectWith(fields, others);
}

function objectWith<F extends Fields, T>(
  fields: F,
  others: Reader<T> | undefined,
): Reader<{ known: ObjectOf<F>; others: ReadonlyMap<string, T> }> {
  return {
    schema: objectSchema(fields, others),
    read: (source) => {
      if (!isMap(source.node))
        return source.problem(`a map is expected here, with ${Object.keys(fields).join(', ') || 'nothing in it: {}'}`);
      const known: Record<string, unknown> = {};
      const rest = new Map<string, T>();
      const before = source.document.problems.length;
      for (const [name, field, key] of pairs(source, source.node)) {
        const reader = Object.hasOwn(fields, name) ? fields[name]!.reader : undefined;
        if (reader) known[name] = reader.read(field);
        else if (others) take(rest, name, others.read(field));
        else field.problem(`there is no field "${name}" here${didYouMean(name, Object.keys(fields))}`, key);
      }
      for (const [name, field] of Object.entries(fields)) {
        if (field.required && !source.node.has(name)) source.problem(`${name} is missing: ${field.about}`);
      }
      // The fields were read by the readers that the type was made from.
      return source.document.problems.length === before ? { known: known as ObjectOf<F>, others: rest } : undefined;
    },
  };
}

function take<T>(values: Map<string, T>, name: string, value: T | undefined): void {
  if (value !== undefined) values.set(name, value);
}

function objectSchema(fields: Fields, others: Reader<unknown> | undefined): JsonSchema {
  const entries = Object.entries(fields);
  const needed = entries.filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, { description: field.about, ...field.reader.schema }])),
    ...(needed.length > 0 ? { required: needed } : {}),
    additionalProperties: others ? others.schema : false,
  };
}

/** Names as written: a bare 101 is the name "101". */
function pairs(source: Source, map: YAMLMap): [name: string, field: Source, key: Node | null][] {
  return map.items.map(({ key, value }) => {
    const name = isScalar(key) ? written(key) : String(key);
    const keyNode = isScalar(key) ? key : null;
    return [name, source.field(name, value as Node | null, keyNode), keyNode];
  });
}
