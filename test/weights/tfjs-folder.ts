/** Models of TensorFlow.js in folders, made for tests. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tf } from '../../src/tf.ts';

type Json = Readonly<Record<string, unknown>>;

/** Writes a model as `tf.Model.save` to a folder would: `model.json` and one file of weights. */
export async function saveLayers(folder: string, model: tf.LayersModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      const json = { format: 'layers-model', modelTopology, weightsManifest };
      await writeFile(join(folder, 'model.json'), JSON.stringify(json));
      await writeFile(join(folder, 'weights.bin'), new Uint8Array(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
}

/** One node of a graph: its operation, inputs and attributes. */
export interface GraphNode {
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Json;
}

/** A constant of a graph. */
export interface GraphConstant {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export const FLOAT = { T: { type: 'DT_FLOAT' } };
const shapeOf = (sizes: readonly number[]) => ({ shape: { dim: sizes.map((size) => ({ size: String(size) })) } });

/** The placeholder of images. */
export const placeholder = (sizes: readonly number[], type = 'DT_FLOAT'): GraphNode => ({
  op: 'Placeholder',
  attr: { dtype: { type }, shape: shapeOf(sizes) },
});

/** Writes a GraphModel: `model.json` and one file of weights. */
export async function saveGraph(
  folder: string,
  nodes: Readonly<Record<string, GraphNode>>,
  constants: Readonly<Record<string, GraphConstant>>,
  more: Json = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const dtypeOf = ({ data }: GraphConstant): string => (data instanceof Float32Array ? 'float32' : 'int32');
  const consts = Object.entries(constants).map(([name, { shape, data }]) => ({
    name,
    op: 'Const',
    attr: {
      dtype: { type: data instanceof Float32Array ? 'DT_FLOAT' : 'DT_INT32' },
      value: { tensor: shapeOf(shape) },
    },
  }));
  const node = [...consts, ...Object.entries(nodes).map(([name, one]) => ({ name, ...one }))];
  const weights = Object.entries(constants).map(([name, one]) => ({ name, shape: one.shape, dtype: dtypeOf(one) }));
  const json = {
    format: 'graph-model',
    modelTopology: { node, versions: { producer: 1, minConsumer: 1 } },
    weightsManifest: [{ paths: ['weights.bin'], weights }],
    ...more,
  };
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  const bytes = Object.values(constants).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  await writeFile(join(folder, 'weights.bin'), Buffer.concat(bytes));
}

/** Numbers between -1 and 1 that look like no pattern. */
export const wave = (length: number, from = 0): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + from) * 12.9898) * Math.cos((i + from) * 4.1));
