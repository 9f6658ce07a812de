/** The commands of the program, by name. */
import type { Command } from './command.ts';

export interface Entry {
  readonly name: string;
  /** In one line, for help. */
  readonly summary: string;
  /** Loaded only when it is the one that runs: most of start-up time is imports. */
  readonly load: () => Promise<Command>;
}

/** The first is meant where none is named. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'experiment',
    summary: 'attack trained networks and report how well they stand up (the default)',
    load: async () => (await import('./commands/experiment.ts')).experiment,
  },
  {
    name: 'train',
    summary: 'train a network, plainly or with a defense, and save its checkpoint',
    load: async () => (await import('./commands/train.ts')).train,
  },
  {
    name: 'certify',
    summary: 'certify smoothed networks: radii in which no perturbation at all changes their class',
    load: async () => (await import('./commands/certify.ts')).certify,
  },
  {
    name: 'report',
    summary: 'rebuild report.html and its CSV tables from run.json',
    load: async () => (await import('./commands/report.ts')).report,
  },
  {
    name: 'verify',
    summary: 'check the adversarial images that a run saved against its networks and numbers',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  {
    name: 'list',
    summary: 'list attacks, defenses, architectures, datasets and checkpoints',
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'check-attack',
    summary: 'hold an attack file against the laws that every attack obeys',
    load: async () => (await import('./commands/check-attack.ts')).checkAttack,
  },
  {
    name: 'doctor',
    summary: 'say what this machine offers and whether compiled code computes the right numbers',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'setup',
    summary: "fetch what is too large for npm: TensorFlow's own library, ONNX Runtime's libraries for CUDA",
    load: async () => (await import('./commands/setup.ts')).setup,
  },
  {
    name: 'bench',
    summary: 'measure forward passes and attack steps, in images a second',
    load: async () => (await import('./commands/bench.ts')).bench,
  },
  {
    name: 'completion',
    summary: 'print what makes bash, zsh or fish complete commands, flags and names',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
];
