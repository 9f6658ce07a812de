import { threadCount } from '../compile/threads.ts';

/**
 * What TensorFlow's library reads once, while it is loaded. What the user has set stays.
 *
 * @param asked - the value of the environment's `GIBBON_THREADS`
 * @throws Error for an impossible number of threads
 */
export function prepareEnvironment(environment: NodeJS.ProcessEnv, asked: string | undefined): void {
  const threads = threadCount(asked);
  const wanted: Readonly<Record<string, string>> = {
    // TF32 rounds products to 10 bits; gradients need all of float32's.
    NVIDIA_TF32_OVERRIDE: '0',
    // The same seed, the same bytes.
    TF_DETERMINISTIC_OPS: '1',
    // Else it takes all of the graphics processor's memory at once.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // Of oneDNN's 1x1 convolutions some have wrong gradients: in TensorFlow 2.21, on AVX-512, from 300 channels to 50.
    TF_ENABLE_ONEDNN_OPTS: '0',
    // Warnings and errors; not how its processor is used.
    TF_CPP_MIN_LOG_LEVEL: '1',
    ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: '1' }),
  };
  for (const [name, value] of Object.entries(wanted)) environment[name] ??= value;
}
