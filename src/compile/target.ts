/** What runs a compiled graph, as far as lowering must know. */
import { blockSize } from './block-size.ts';

/** ONNX Runtime's execution providers, by its names for them. */
export type Provider = 'cpu' | 'webgpu' | 'cuda';

export interface Target {
  readonly provider: Provider;
  /** Channels in a block of the processor's own layout; 0 where there is none. */
  readonly block: number;
  /** Whether max pools tell where their maxima are. */
  readonly poolIndices: boolean;
}

/** Of the processor, once it is known in which blocks it works; of other providers, which have one layout. */
export async function targetOf(provider: Provider = 'cpu'): Promise<Target> {
  const block = provider === 'cpu' ? await blockSize() : 0;
  return { provider, block, poolIndices: provider !== 'webgpu' };
}
