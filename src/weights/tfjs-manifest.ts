/** What `model.json` of TensorFlow.js says about its weights. Nothing in it is believed before it is checked. */
import { UserError } from '../core/errors.ts';
import type { tf } from '../tf.ts';
import { jsonProblem } from './json-keys.ts';
import type { Refuse } from './refusal.ts';
import { checkGraph } from './tfjs-graph.ts';

/** Bytes of one element, as it is stored. */
const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const;
type Stored = keyof typeof ELEMENT_BYTES;
const PLAIN: readonly string[] = ['float32', 'int32', 'bool'] satisfies Stored[];
const QUANTISED: readonly string[] = ['uint8', 'uint16', 'float16'] satisfies Stored[];

/** Models nest in models, but not as deep as this. */
const MAX_DEPTH = 200;

type Fields = Readonly<Record<string, unknown>>;

/** Weights that lie one after the other in the files of `paths`. */
export interface ShardGroup {
  /** Below the model's folder, with `/` between folders. */
  readonly paths: readonly string[];
  readonly specs: readonly tf.io.WeightsManifestEntry[];
  /** What the files must hold together. */
  readonly bytes: number;
}

export interface ModelJson {
  readonly format: 'layers' | 'graph';
  /** All that TensorFlow.js reads besides the weights. */
  readonly artifacts: tf.io.ModelArtifacts;
  readonly groups: readonly ShardGroup[];
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const quoted = (value: unknown): string => JSON.stringify(typeof value === 'string' ? value.slice(0, 80) : value);

/**
 * Reads the text of a `model.json`.
 *
 * @param path - the file's, for errors
 * @throws UserError for anything but a LayersModel or GraphModel whose weights lie in files below its folder
 */
export function parseModelJson(text: string, path: string): ModelJson {
  const refuse: Refuse = (why) => new UserError(`${path} is not a model that can be read: ${why}`);
  const json = parseText(text, refuse);
  const topology = json.modelTopology;
  if (!isRecord(topology)) throw refuse('it has no modelTopology; a TensorFlow.js model.json has one');
  const format = formatOf(json.format, topology, refuse);
  if (format === 'graph') checkGraph(topology.node as readonly unknown[], refuse);
  const groups = parseManifest(json.weightsManifest, refuse);
  const { signature, userDefinedMetadata, modelInitializer } = json;
  if (modelInitializer !== undefined)
    throw refuse('it fills tables when it is loaded, which image classifiers need not');
  const artifacts = {
    modelTopology: topology,
    weightSpecs: groups.flatMap(({ specs }) => specs),
    ...(isRecord(signature) ? { signature } : {}),
    ...(isRecord(userDefinedMetadata) ? { userDefinedMetadata: userDefinedMetadata as Record<string, object> } : {}),
  };
  return { format, artifacts, groups };
}

function parseText(text: string, refuse: Refuse): Fields {
  let json: unknown;
  try {
    const problem = jsonProblem(text, MAX_DEPTH);
    if (problem !== undefined) throw refuse(problem);
    json = JSON.parse(text);
  } catch (error) {
    throw error instanceof UserError ? error : refuse('it is not JSON');
  }
  if (isRecord(json)) return json;
  throw refuse('it is not a JSON object');
}

function formatOf(stated: unknown, topology: Fields, refuse: Refuse): ModelJson['format'] {
  if (stated !== undefined && stated !== 'layers-model' && stated !== 'graph-model') {
    throw refuse(`its format is ${quoted(stated)}; understood are layers-model and graph-model`);
  }
  if (Array.isArray(topology.node)) return 'graph';
  if ('class_name' in topology || 'className' in topology || isRecord(topology.model_config)) return 'layers';
  throw refuse('its modelTopology has neither layers nor nodes');
}

function parseManifest(manifest: unknown, refuse: Refuse): readonly ShardGroup[] {
  if (!Array.isArray(manifest)) throw refuse('it has no weightsManifest: it describes a network without its weights');
  const groups = manifest.map((group: unknown) => parseGroup(group, refuse));
  const paths = groups.flatMap((group) => group.paths);
  const twice = paths.find((file, i) => paths.indexOf(file) !== i);
  if (twice !== undefined) throw refuse(`its weightsManifest names the file ${quoted(twice)} twice`);
  const names = new Set<string>();
  for (const { name } of groups.flatMap(({ specs }) => specs)) {
    if (names.has(name)) throw refuse(`its weightsManifest has the weight ${quoted(name)} twice`);
    names.add(name);
  }
  return groups;
}

function parseGroup(group: unknown, refuse: Refuse): ShardGroup {
  if (!isRecord(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
    throw refuse('a group of its weightsManifest lacks paths or weights');
  }
  const paths = group.paths.map((file: unknown) => checkedPath(file, refuse));
  const sized = group.weights.map((weight: unknown) => parseWeight(weight, refuse));
  return {
    paths,
    specs: sized.map(({ spec }) => spec),
    // Beyond 2⁵³ the sum is inexact, but then it is far larger than any file.
    bytes: sized.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** A path that cannot leave the model's folder, on any system. */
function checkedPath(file: unknown, refuse: Refuse): string {
  if (typeof file !== 'string' || file === '' || file.includes('\0'))
    throw refuse(`${quoted(file)} names no weight file`);
  const leaves = /^[\\/]|^[a-z][a-z\d+.-]*:/i.test(file) || file.split(/[\\/]/).includes('..');
  if (leaves) throw refuse(`its weight file ${quoted(file)} lies outside the model's folder, which is not read`);
  return file;
}

function parseWeight(
  weight: unknown,
  refuse: Refuse,
): { readonly spec: tf.io.WeightsManifestEntry; readonly bytes: number } {
  if (!isRecord(weight) || typeof weight.name !== 'string') throw refuse('a weight of its weightsManifest has no name');
  const { name, shape, dtype, quantization } = weight;
  const what = `its weight ${quoted(name)}`;
  const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isSize)) throw refuse(`${what} has no valid shape`);
  if (!PLAIN.includes(dtype as string))
    throw refuse(`${what} has the dtype ${quoted(dtype)}; understood are ${PLAIN.join(', ')}`);
  const stored = quantization === undefined ? (dtype as Stored) : storedType(quantization, dtype, what, refuse);
  const elements = (shape as number[]).reduce((product, size) => product * size, 1);
  return { spec: weight as unknown as tf.io.WeightsManifestEntry, bytes: elements * ELEMENT_BYTES[stored] };
}

/** How a quantised weight lies in the file: q · scale + min for each whole number q, or a half-precision number. */
function storedType(quantization: unknown, dtype: unknown, what: string, refuse: Refuse): Stored {
  const { dtype: stored, scale, min } = isRecord(quantization) ? quantization : {};
  if (!QUANTISED.includes(stored as string)) {
    throw refuse(`${what} is quantised to ${quoted(stored)}; understood are ${QUANTISED.join(', ')}`);
  }
  const fits = stored === 'float16' ? dtype === 'float32' : dtype !== 'bool' && [scale, min].every(Number.isFinite);
  if (!fits) throw refuse(`${what} is quantised to ${quoted(stored)} without a scale and min that fit its dtype`);
  return stored as Stored;
}
