import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';

/** A processor that the installed ONNX Runtime knows, and whether all that it needs of ONNX Runtime's own lies there. */
export interface BuiltIn {
  readonly name: string;
  readonly bundled: boolean;
}

/** ONNX Runtime tells what came with its package; libraries that were fetched later lie beside its own. */
export const builtIn = (): readonly BuiltIn[] =>
  listSupportedBackends().map(({ name, bundled }) => ({ name, bundled: bundled || hasLibrary(name) }));

function hasLibrary(provider: string): boolean {
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin');
  const ending = join(process.platform, process.arch);
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some(
      (file) => dirname(file).endsWith(ending) && file.includes(`onnxruntime_providers_${provider}.`),
    );
  } catch {
    return false;
  }
}
