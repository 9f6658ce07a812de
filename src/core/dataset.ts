import type { ImageShape } from './classifier.ts';

/** A labelled image. */
export interface Example {
  /** H·W·C values in [0,1], row by row, channels last. */
  readonly image: Float32Array;
  /** Index into `classes`; -1 in a dataset whose labels are not known. */
  readonly label: number;
  /** Stable identity: names the image in reports and keys its noise. `mnist/test/17`, `n02510455/panda.jpg` */
  readonly id: string;
}

export interface StreamOptions {
  /** How many examples; all by default. Files that cannot be read are passed over, so there may be fewer. */
  readonly images?: number;
  /** A seeded order; without a seed, the order of the files. */
  readonly seed?: number;
}

/** A file that gave no image. */
export interface SkippedFile {
  readonly id: string;
  /** In words: `it is cut short or damaged`. */
  readonly why: string;
}

/** A seeded, sized stream of labelled images. Memory does not grow with its size. */
export interface Dataset {
  readonly name: string;
  /** `train`, `test`, `val`; `all` where there is but one. */
  readonly split: string;
  readonly classes: readonly string[];
  readonly input: ImageShape;
  /** How many images there are; of files that have yet to be decoded, how many there are at most. */
  readonly size: number;
  /** `predicted`: no true labels are known, each network's own clean predictions stand in for them. `true` by default. */
  readonly labels?: 'true' | 'predicted';
  /**
   * SHA-256, in hex, of the files it is read from: all of them, or where they may be too many to read for this alone, all
   * of their names and sizes and the content of those that come first, as far as `options.images` says.
   */
  hash(options?: StreamOptions): Promise<string>;
  /** Every stream with the same options gives the same examples. */
  stream(options?: StreamOptions): AsyncIterable<Example>;
  /** Files that could not be read, as far as streamed, each once. */
  skipped?(): readonly SkippedFile[];
  /** What the user should know of how it was read, a sentence each. */
  readonly notes?: readonly string[];
}

/** How photographs become images for a network: the short side is scaled to `resize`, then the centre is cut out. */
export interface PhotoForm {
  readonly input: ImageShape;
  /** Pixels. */
  readonly resize: number;
  /** The network's classes. None: it has yet to learn them, and a folder's own names are its classes. */
  readonly classes: readonly string[];
}

/** As papers do it: the short side of a photograph is 8/7 of the side that is cut out. */
export const usualResize = ([height, width]: ImageShape): number => Math.round((Math.max(height, width) * 256) / 224);
