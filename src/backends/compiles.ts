import type { BackendName } from './names.ts';

/** Whether functions are traced into a graph there, which not every operator of TensorFlow.js allows. */
export const compiles = (name: BackendName): boolean => name !== 'cpu' && name !== 'tensorflow';
