/** Opens a file of saved images, in which nothing is believed, and reads it a few images at a time. */
import type { ImageShape } from '../../core/classifier.ts';
import { UserError } from '../../core/errors.ts';
import type { Pose } from '../../core/pose.ts';
import type { Threat } from '../../core/threat-model.ts';
import type { ByteSource } from '../../weights/byte-source.ts';
import { readLayout } from '../../weights/safetensors.ts';
import { storedTensor } from '../../weights/stored-tensor.ts';
import { tensorsOf } from './layout.ts';

/** What a file says of one image. */
export interface SavedImage {
  readonly id: string;
  readonly adversarial: Float32Array;
  readonly clean: Float32Array;
  /** Where the threat is `spatial`. */
  readonly pose?: Pose;
  readonly label: number;
  readonly index: number;
  readonly prediction: number;
  readonly roundedPrediction: number;
  readonly fooled: boolean;
  readonly roundedFooled: boolean;
  readonly roundedInside: boolean;
}

export interface SavedFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly images: number;
  /** Images from `start` on, `count` or as many as are left. */
  read(start: number, count: number): Promise<SavedImage[]>;
}

/**
 * @param input - the images' shape, as the network takes them
 * @throws UserError if it is no such file
 */
export async function openSaved(source: ByteSource, input: ImageShape, threat: Threat): Promise<SavedFile> {
  const { entries, metadata, dataStart } = await readLayout(source);
  const refuse = (why: string): UserError => new UserError(`${source.path} is no file of saved images: ${why}`);
  const places = new Map(entries.map((entry) => [entry.name, entry]));
  const images = places.get('index')?.shape[0] ?? 0;
  for (const [name, { dtype, shape }] of tensorsOf(images, input, threat)) {
    const found = places.get(name);
    const [wanted, given] = [`${dtype} [${shape.join(', ')}]`, found && `${found.dtype} [${found.shape.join(', ')}]`];
    if (given !== wanted) throw refuse(`its ${name} is ${given ?? 'missing'}, not ${wanted}`);
  }
  const ids = idsOf(metadata.ids);
  if (ids?.length !== images) throw refuse(`it does not name its ${images} images`);

  const read = async (start: number, wanted: number): Promise<SavedImage[]> => {
    const count = Math.min(wanted, images - start);
    const rows = async (name: string) => {
      const { dtype, shape, begin, end } = places.get(name) as (typeof entries)[number];
      const bytes = (end - begin) / images;
      const part = await source.read(dataStart + begin + start * bytes, count * bytes);
      return storedTensor(dtype, [count, ...shape.slice(1)], part).data;
    };
    const pixels = input[0] * input[1] * input[2];
    const [adversarial, clean] = [(await rows('adversarial')) as Float32Array, (await rows('clean')) as Float32Array];
    const numbers = async (name: string): Promise<number[]> => Array.from(await rows(name), Number);
    const [label, index, prediction] = [await numbers('label'), await numbers('index'), await numbers('prediction')];
    const [roundedPrediction, fooled] = [await numbers('rounded_prediction'), await numbers('fooled')];
    const [roundedFooled, roundedInside] = [await numbers('rounded_fooled'), await numbers('rounded_inside')];
    const poses = threat === 'spatial' ? await numbers('pose') : undefined;
    return Array.from({ length: count }, (_, i) => ({
      id: ids[start + i] as string,
      adversarial: adversarial.subarray(i * pixels, (i + 1) * pixels),
      clean: clean.subarray(i * pixels, (i + 1) * pixels),
      ...(poses && { pose: poses.slice(3 * i, 3 * i + 3) as unknown as Pose }),
      label: label[i] as number,
      index: index[i] as number,
      prediction: prediction[i] as number,
      roundedPrediction: roundedPrediction[i] as number,
      fooled: fooled[i] === 1,
      roundedFooled: roundedFooled[i] === 1,
      roundedInside: roundedInside[i] === 1,
    }));
  };
  return { metadata, images, read };
}

function idsOf(text: string | undefined): readonly string[] | undefined {
  try {
    const ids: unknown = JSON.parse(text ?? '');
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : undefined;
  } catch {
    return undefined;
  }
}
