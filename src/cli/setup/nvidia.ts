import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Whether there is a graphics processor of NVIDIA's, with its driver. */
export function hasNvidia(): boolean {
  if (existsSync('/proc/driver/nvidia/version')) return true;
  return spawnSync('nvidia-smi', ['-L'], { timeout: 10_000, windowsHide: true }).status === 0;
}
