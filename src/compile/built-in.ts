import { listSupportedBackends } from 'onnxruntime-node';

/** A processor that the installed ONNX Runtime knows, and whether all that it needs came with the package. */
export interface BuiltIn {
  readonly name: string;
  readonly bundled: boolean;
}

export const builtIn = (): readonly BuiltIn[] => listSupportedBackends();
