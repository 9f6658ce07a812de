export const SETUP_CUDA = 'npm run setup:cuda';

/** What to install, for each complaint of CUDA's. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/libcuda\.so|driver version is insufficient/, 'install a driver of NVIDIA, 525 or newer (nvidia-smi shows it)'],
  [/libcudnn/, 'install cuDNN 9 for CUDA 12, and let LD_LIBRARY_PATH name its folder'],
  [/libcu\w+\.so|libnv\w+\.so/, 'install the CUDA 12 toolkit, and let LD_LIBRARY_PATH name its folder lib64'],
  [/no CUDA-capable device|CUDA failure 100\b/i, 'there is no graphics processor of NVIDIA that this process may use'],
  [
    /file too short|invalid ELF|undefined symbol/,
    `a library is damaged or of another version: ${SETUP_CUDA} -- --anew fetches it again`,
  ],
];

const OTHERWISE = 'it needs a graphics processor of NVIDIA, its driver (525 or newer), CUDA 12 and cuDNN 9';

export const cudaAdvice = (complaint: string): string =>
  ADVICE.find(([pattern]) => pattern.test(complaint))?.[1] ?? OTHERWISE;
