/** A JSON Schema checker for the keywords that this project's schemas use; an unknown one is an error. */

export type Schema = Readonly<Record<string, unknown>>;

type Rule = (limit: never, value: never, schema: Schema) => boolean;

/** Keywords that say nothing about a value. */
const SILENT = ['$schema', 'title', 'description', 'default', 'format', 'contentEncoding', 'readOnly'];

const every = (schemas: Readonly<Record<string, Schema>>, value: object): boolean =>
  Object.entries(schemas).every(([key, one]) => !(key in value) || holds(one, value[key as keyof typeof value]));

const isKnown = (key: string, { properties = {}, patternProperties = {} }: Schema): boolean =>
  Object.hasOwn(properties as object, key) ||
  Object.keys(patternProperties as object).some((pattern) => new RegExp(pattern, 'u').test(key));

/** By the kind of values that they speak of. */
const RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  any: {
    type: (types: string | readonly string[], value: unknown) =>
      [types].flat().some((type) => (type === 'integer' ? Number.isInteger(value) : kindOf(value) === type)),
    const: (only: unknown, value: unknown) => value === only,
    enum: (options: readonly unknown[], value: unknown) => options.includes(value),
    anyOf: (schemas: readonly Schema[], value: unknown) => schemas.some((one) => holds(one, value)),
    oneOf: (schemas: readonly Schema[], value: unknown) => schemas.filter((one) => holds(one, value)).length === 1,
  },
  number: {
    minimum: (least: number, value: number) => value >= least,
    maximum: (most: number, value: number) => value <= most,
    exclusiveMinimum: (least: number, value: number) => value > least,
    exclusiveMaximum: (most: number, value: number) => value < most,
  },
  string: {
    minLength: (least: number, value: string) => value.length >= least,
    pattern: (pattern: string, value: string) => new RegExp(pattern, 'u').test(value),
  },
  array: {
    minItems: (least: number, value: readonly unknown[]) => value.length >= least,
    maxItems: (most: number, value: readonly unknown[]) => value.length <= most,
    // Of a pair it says false: nothing comes behind its two.
    items: (one: Schema | false, value: readonly unknown[]) => one === false || value.every((item) => holds(one, item)),
    prefixItems: (ones: readonly Schema[], value: readonly unknown[]) => ones.every((one, i) => holds(one, value[i])),
  },
  object: {
    required: (keys: readonly string[], value: object) => keys.every((key) => key in value),
    properties: every,
    propertyNames: (one: Schema, value: object) => Object.keys(value).every((key) => holds(one, key)),
    patternProperties: (patterns: Readonly<Record<string, Schema>>, value: object) =>
      Object.entries(patterns).every(([pattern, one]) =>
        Object.entries(value).every(([key, item]) => !new RegExp(pattern, 'u').test(key) || holds(one, item)),
      ),
    additionalProperties: (one: boolean | Schema, value: object, schema: Schema) =>
      Object.entries(value).every(
        ([key, item]) => isKnown(key, schema) || (one !== false && holds(one as Schema, item)),
      ),
  },
};

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);

const KEYWORDS = [...SILENT, ...Object.values(RULES).flatMap(Object.keys)];

/** Whether a value keeps to a schema. */
export function holds(schema: Schema, value: unknown): boolean {
  const unknown = Object.keys(schema).find((keyword) => !KEYWORDS.includes(keyword));
  if (unknown !== undefined) throw new Error(`a schema says ${unknown}, which this checker does not know`);
  return Object.entries({ ...RULES.any, ...RULES[kindOf(value)] }).every(
    ([keyword, rule]) => !(keyword in schema) || rule(schema[keyword] as never, value as never, schema),
  );
}
