/** What to install, for each complaint of CUDA's. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/libcuda\.so|driver version is insufficient/, 'Install a driver of NVIDIA, 525 or newer (nvidia-smi shows it)'],
  [/libcudnn/, 'Install cuDNN 9 for CUDA 12, and let LD_LIBRARY_PATH name its folder'],
  [/libcu\w+\.so|libnv\w+\.so/, 'Install the CUDA 12 toolkit, and let LD_LIBRARY_PATH name its folder lib64'],
  [/no CUDA-capable device|CUDA failure 100\b/i, 'There is no graphics processor of NVIDIA that this process may use'],
  [
    /file too short|invalid ELF|undefined symbol/,
    'A library is damaged or of another version: --anew fetches it again',
  ],
];

const OTHERWISE = 'It needs a graphics processor of NVIDIA, its driver (525 or newer), CUDA 12 and cuDNN 9';

export const cudaAdvice = (complaint: string): string =>
  ADVICE.find(([pattern]) => pattern.test(complaint))?.[1] ?? OTHERWISE;
