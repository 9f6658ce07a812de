/** What computes, by its names on the command line. */
export const BACKENDS = ['auto', 'onnx-cpu', 'onnx-webgpu', 'onnx-cuda', 'tensorflow', 'cpu'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

/** One that can be opened: `auto` is a word for whichever of them is chosen. */
export type BackendName = Exclude<BackendChoice, 'auto'>;

export const isBackendName = (name: BackendChoice): name is BackendName => name !== 'auto';

/** All of them, as `--backend` lists them. */
export const BACKEND_NAMES: readonly BackendName[] = BACKENDS.filter(isBackendName);
