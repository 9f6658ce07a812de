import type { ImageShape } from './classifier.ts';

export interface Example {
  /** H·W·C values in [0,1], row by row, channels last. */
  readonly image: Float32Array;
  /** Index into `classes`. */
  readonly label: number;
  /** Stable identity: names the image in reports and keys its noise. `mnist/test/17` */
  readonly id: string;
}

export interface StreamOptions {
  /** How many examples; all by default. */
  readonly images?: number;
  /** A seeded order; without a seed, the order of the files. */
  readonly seed?: number;
}

/** A seeded, sized stream of labelled images. Memory does not grow with its size. */
export interface Dataset {
  readonly name: string;
  /** `train`, `test`, `val`. */
  readonly split: string;
  readonly classes: readonly string[];
  readonly input: ImageShape;
  readonly size: number;
  /** SHA-256 of the files it is read from, in hex. */
  hash(): Promise<string>;
  stream(options?: StreamOptions): AsyncIterable<Example>;
}
