/** JSON Schema of config files, made from the flags' own declarations: editors complete the keys, and check the values. */
import type { Command } from './command.ts';
import { EXTENDS, SCHEMA } from './config.ts';
import type { Flag, Flags } from './flags.ts';
import type { Suggestions } from './suggestions.ts';

/** The part of JSON Schema (draft 7) that is used here. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean;
}

/**
 * The schema of the config files of a command.
 *
 * @param moduleFlags - the parameters of all attacks, defenses and the like that come with the program
 */
export function configSchema(
  name: string,
  { flags }: Pick<Command, 'flags'>,
  moduleFlags: Flags,
  suggestions: Suggestions,
): JsonSchema {
  const { config: _, ...own } = flags;
  const properties = Object.entries({ ...own, ...moduleFlags }).map(([flag, declared]) => {
    const { label, accepts, shown, default: initial } = declared;
    const isPlain = initial !== null && shown === undefined;
    const otherwise = isPlain ? '' : `; by default ${shown ?? 'auto'}`;
    return [
      flag,
      {
        description: `${label} (${accepts}${otherwise})`,
        ...(isPlain ? { default: initial } : {}),
        ...schemaOf(declared, suggestions[flag] ?? []),
      },
    ] as const;
  });
  const owners = [...new Set(Object.keys(moduleFlags).map((flag) => flag.slice(0, flag.indexOf('.'))))];
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `What gibbon ${name} --config reads`,
    description: 'Keys are flags. What stands on the command line wins over the file, the file over what it extends.',
    type: 'object',
    properties: {
      [SCHEMA]: { type: 'string', description: 'where this schema lies' },
      [EXTENDS]: {
        type: 'string',
        minLength: 1,
        description: 'a config file to build on: its path from this file, or one that comes with the program',
      },
      ...Object.fromEntries(properties),
    },
    // Parameters of a user's own attacks and defenses.
    patternProperties: { [`^(?!(?:${owners.join('|')}|transfer)\\.)[\\w-]+\\.[\\w-]+$`]: {} },
    additionalProperties: false,
  };
}

/** A number as it may stand in a string: `0.1`, `8/255`. */
const FRACTION = String.raw`^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*(?:/\s*(?:\d+\.?\d*|\.\d+)\s*)?$`;

function schemaOf(flag: Flag<unknown>, suggestions: readonly string[]): JsonSchema {
  if (flag.list !== true) return anyOf(single(flag, suggestions));
  // A list of which nothing is known but its parser is one of words; a number is taken by itself.
  const each = flag.item === undefined ? [WORD] : single(flag.item, suggestions);
  const alone = flag.item === undefined && flag.number !== undefined ? [numberSchema(flag.number), ...each] : each;
  const several: JsonSchema = { type: 'array', items: anyOf(each), minItems: 1 };
  // Whatever stands between the commas is checked when the file is read.
  return anyOf([several, ...alone, { type: 'string', pattern: ',' }]);
}

const anyOf = (schemas: readonly JsonSchema[]): JsonSchema => {
  const [only, ...others] = schemas;
  return only !== undefined && others.length === 0 ? only : { anyOf: schemas };
};

const WORD: JsonSchema = { type: 'string', minLength: 1 };

const numberSchema = ({ whole, min, max, above, below }: NonNullable<Flag<unknown>['number']>): JsonSchema => ({
  type: whole ? 'integer' : 'number',
  ...(min === undefined ? {} : { minimum: min }),
  ...(max === undefined ? {} : { maximum: max }),
  ...(above === undefined ? {} : { exclusiveMinimum: above }),
  ...(below === undefined ? {} : { exclusiveMaximum: below }),
});

/** What a flag takes that is no list. */
function single(
  { options, number, parse, default: initial }: Omit<Flag<unknown>, 'list'>,
  suggestions: readonly string[],
): readonly JsonSchema[] {
  if (typeof initial === 'boolean') return [{ type: 'boolean' }];
  if (number !== undefined) {
    const auto: readonly JsonSchema[] = parse('auto') === undefined ? [] : [{ enum: ['auto', null] }];
    return [numberSchema(number), { type: 'string', pattern: FRACTION }, ...auto];
  }
  if (options !== undefined) {
    // As they are written, and as they are meant: linf and Linf.
    const meant = options.map(parse);
    return [{ enum: [...new Set([...options, ...meant])] }];
  }
  const known: readonly JsonSchema[] = suggestions.length === 0 ? [] : [{ enum: suggestions }];
  const numbered: readonly JsonSchema[] = parse(1) === undefined ? [] : [{ type: 'integer' }];
  return [...known, ...numbered, parse('') === undefined ? WORD : { type: 'string' }];
}
