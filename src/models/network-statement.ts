/** What users say about a network of theirs, in `gibbon.json` or in `defineNetwork({ … })`, checked. */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { UserNetwork } from '../core/user-network.ts';
import { LARGEST } from './image-input.ts';

const size = z.number().int().min(1).max(LARGEST);
const perChannel = z.union([z.number(), z.array(z.number()).min(1).max(LARGEST).readonly()]);
const word = z.string().regex(/^[\w.-]{1,80}$/, 'must be letters, digits, ".", "_" and "-"');
const text = z.string().min(1).max(1000);

const facts = {
  title: text.optional(),
  paper: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
  year: z.number().int().optional(),
  idea: text.optional(),
  training: word.optional(),
  normalisation: z
    .union(
      [
        z.strictObject({ mean: perChannel, std: perChannel }),
        z.strictObject({ scale: perChannel, offset: perChannel }),
      ],
      {
        error: 'must be { mean, std } or { scale, offset }, each a number, or a list of one for each channel',
      },
    )
    .optional(),
};
const name = word;
const input = z.tuple([size, size, size], { error: 'must be [height, width, channels]' }).readonly();
const classes = z.union([z.number().int().min(2).max(100_000), z.array(z.string()).min(2).max(100_000).readonly()], {
  error: 'must be how many there are (2 or more), or a list of their names',
});

const sideFile = z.strictObject({
  ...facts,
  name: name.optional(),
  input: input.optional(),
  classes: classes.optional(),
});

const isFunction = (value: unknown): boolean => typeof value === 'function';
const declaration = z.strictObject({
  ...facts,
  ...{ name, input, classes },
  build: z.custom<UserNetwork['build']>(isFunction, 'must be a function that returns a model'),
  torch: z.record(z.string(), z.string().min(1)).optional(),
});

/** What may be known of a network besides its layers. */
export type Statement = Readonly<z.infer<typeof sideFile>>;
export type Declaration = Readonly<z.infer<typeof declaration>>;

/** @throws UserError naming the first field of `gibbon.json` that is wrong */
export const parseSideFile = (value: unknown, source: string): Statement => parse(sideFile, value, source);

/** @throws UserError naming the first field of what `defineNetwork` was given that is wrong */
export const parseDeclaration = (value: unknown, source: string): Declaration => parse(declaration, value, source);

function parse<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  throw new UserError(`${source} does not describe a network: ${path}${issue?.message ?? 'invalid'}`);
}
