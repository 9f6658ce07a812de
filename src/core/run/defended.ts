/** Defended networks under two adversaries, and what they stand behind. */
import { z } from 'zod';
import { count, interval, json, ownSha256, paper, radius, share } from './fields.ts';

/**
 * What a defense seems to be worth to a naive adversary, who makes images against the network without it, and what it is worth
 * to an adaptive one, who looks at the defended network: the cell of the same network, attack and radius says that too.
 */
export const defendedCell = z.object({
  arch: z.string(),
  /** Of the defended network: `standard+jpeg`. */
  training: z.string(),
  defense: z.string(),
  /** The training of the same network without the defense. */
  undefended: z.string(),
  attack: z.string(),
  ...radius,
  images: count.min(1),
  /** Images that the defended network classifies correctly without attack; under a naive one too; under an adaptive one. */
  cleanCorrect: count,
  naiveCorrect: count,
  adaptiveCorrect: count,
  naiveAccuracy: share,
  adaptiveAccuracy: share,
  /** Wilson score intervals at 95 %. */
  naiveWilson95: interval,
  adaptiveWilson95: interval,
});

export const defense = z.object({
  name: z.string(),
  title: z.string(),
  paper: paper.optional(),
  params: z.record(z.string(), json),
  /** What the adaptive adversary follows, in words. */
  adversary: z.string(),
  sha256: ownSha256,
});
