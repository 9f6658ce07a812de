/**
 * Learning-rate schedules: the share of the peak rate, 0 to 1, as a pure function of progress, which runs from 0 (nothing
 * trained) to 1 (done).
 */
import { unknownName, usageError } from '../core/errors.ts';
import { type Params, p, parseNumber, resolveParams, type Values } from '../core/params.ts';

export interface Schedule<P extends Params = Params> {
  readonly name: string;
  readonly title: string;
  readonly params: P;
  share(progress: number, params: Values<P>): number;
}

const defineSchedule = <P extends Params>(schedule: Schedule<P>): Schedule<P> => schedule;

const warmUp = p.number(0.1, 'share of the training in which the rate rises from 0', { min: 0, max: 1 });

/** Rises from 0 to 1 over the warm-up; afterwards `fall`, a function of how much of the rest is done, 0 to 1. */
function afterWarmUp(progress: number, warm: number, fall: (rest: number) => number): number {
  return progress < warm ? progress / warm : fall(warm === 1 ? 0 : (progress - warm) / (1 - warm));
}

const constant = defineSchedule({
  name: 'constant',
  title: 'The same rate throughout, after an optional warm-up',
  params: { warmUp: p.number(0, warmUp.label, { min: 0, max: 1 }) },
  share: (progress, params) => afterWarmUp(progress, params.warmUp, () => 1),
});

const linear = defineSchedule({
  name: 'linear',
  title: 'Warm-up (Goyal et al. 2017), then down to 0 in a straight line',
  params: { warmUp },
  share: (progress, params) => afterWarmUp(progress, params.warmUp, (rest) => 1 - rest),
});

const cosine = defineSchedule({
  name: 'cosine',
  title: 'Warm-up, then half a cosine down to 0 (Loshchilov and Hutter 2017)',
  params: { warmUp },
  share: (progress, params) => afterWarmUp(progress, params.warmUp, (rest) => (1 + Math.cos(Math.PI * rest)) / 2),
});

const cyclic = defineSchedule({
  name: 'cyclic',
  title: 'One triangle, up and down (Wong, Rice and Kolter 2020, after Smith 2017)',
  params: { peak: p.number(0.4, 'where the rate is highest, as a share of the training', { min: 0, max: 1 }) },
  share: (progress, { peak }) => afterWarmUp(progress, peak, (rest) => 1 - rest),
});

/** `0.5,0.75` or `1/2,3/4` as numbers. */
function milestonesOf(text: string): readonly number[] {
  const milestones = text.split(',').map(parseNumber);
  if (milestones.every((m): m is number => m !== undefined && m >= 0 && m <= 1)) return milestones;
  throw usageError(`--step.milestones is "${text}"; it must be shares of the training, 0 to 1, such as 0.5,0.75`);
}

const step = defineSchedule({
  name: 'step',
  title: 'Multiplied by a factor at each milestone (He et al. 2016)',
  params: {
    milestones: p.text('0.5,0.75', 'where the rate falls, as shares of the training'),
    factor: p.number(0.1, 'what it is multiplied by there', { min: 0, max: 1 }),
  },
  share: (progress, { milestones, factor }) =>
    factor ** milestonesOf(milestones).filter((milestone) => progress >= milestone).length,
});

export const schedules: readonly Schedule[] = [constant, linear, cosine, cyclic, step];

/**
 * The schedule of that name with its parameters laid over the defaults, checked, as a function of progress.
 *
 * @throws UserError (usage) for an unknown name, or a parameter that it has not or does not accept
 */
export function scheduleOf(
  name: string,
  given: Readonly<Record<string, unknown>> = {},
): { readonly params: Readonly<Record<string, unknown>>; readonly share: (progress: number) => number } {
  const schedule = schedules.find((candidate) => candidate.name === name);
  if (schedule === undefined) {
    throw unknownName(
      'schedule',
      name,
      schedules.map((known) => known.name),
    );
  }
  const params = resolveParams(name, schedule.params, given);
  schedule.share(0, params);
  return { params, share: (progress) => schedule.share(progress, params) };
}
