/** How saved images lie on disk: the names of files, and what a file of tensors holds. */
import { createHash } from 'node:crypto';
import type { ImageShape } from '../../core/classifier.ts';
import { IMAGES } from '../../core/saved.ts';
import type { Threat } from '../../core/threat-model.ts';
import type { Announced } from '../../weights/safetensors.ts';
import type { Contender } from '../plan.ts';

export const IMAGES_SCHEMA = 'gibbon.images/1';

/** Longest part of a file name that comes from outside. */
const LONGEST = 80;

/** Text as part of a file name: no separators, nothing hidden. */
const plain = (text: string): string =>
  text
    .replace(/[^\w.+-]+/g, '-')
    .replace(/^\.+/, '')
    .slice(-LONGEST);

/** The same, and different for different texts. */
function distinct(text: string): string {
  const name = plain(text);
  return name === text ? name : `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}

/** `images/vgg16/standard/pgd` */
export const attackFolder = ({ architecture, training }: Contender, attack: string): string =>
  [IMAGES, ...[architecture.name, training, attack].map(distinct)].join('/');

/** `images/vgg16/standard/pgd/0.3.safetensors`, and the pictures' folder beside it. */
export const placesAt = (folder: string, epsilon: number) =>
  ({ file: `${folder}/${epsilon}.safetensors`, pictures: `${folder}/${epsilon}` }) as const;

/** `00017-mnist-test-1234.png`: after its place in the run and what it is called. */
export const pictureName = (index: number, id: string): string => `${String(index).padStart(5, '0')}-${plain(id)}.png`;

/**
 * The tensors of a file of n images, in their order:
 *
 * - `adversarial`, `clean`: [n, H, W, C] in [0,1];
 * - `label`, `prediction`: classes; a prediction of -1 stands for logits that are no numbers;
 * - `index`: places in the run's selection, ascending; the images' names are `ids` of the metadata;
 * - `rounded_prediction`: of the picture;
 * - `pose`, where the threat is `spatial`: [n, 3], see `pose.ts`;
 * - `fooled`, `rounded_fooled`: whether image and picture reach the goal inside ball and box;
 * - `rounded_inside`: whether the picture is in the ball.
 */
export function tensorsOf(
  images: number,
  input: ImageShape,
  threat: Threat,
): readonly (readonly [name: string, Announced])[] {
  const pixels: Announced = { dtype: 'F32', shape: [images, ...input] };
  const whole: Announced = { dtype: 'I32', shape: [images] };
  const flag: Announced = { dtype: 'BOOL', shape: [images] };
  return [
    ['adversarial', pixels],
    ['clean', pixels],
    ['label', whole],
    ['prediction', whole],
    ['index', whole],
    ['rounded_prediction', whole],
    ...(threat === 'spatial' ? [['pose', { dtype: 'F32', shape: [images, 3] }] as const] : []),
    ['fooled', flag],
    ['rounded_fooled', flag],
    ['rounded_inside', flag],
  ];
}
