import { expect, it } from 'vitest';
import { measure } from '../../examples/adaptive-attack.ts';

it('the adaptive attack of the examples sees through a defense that plain PGD takes for a strong one', async () => {
  const tried = await measure(20);
  expect(tried.map(({ source }) => source.training)).toEqual(['as it is', 'with BPDA', 'with BPDA and EOT']);
  const [asItIs = 0, behind = 0, over = 0] = tried.map(({ accuracy }) => accuracy);
  expect(asItIs).toBeGreaterThan(0.8);
  expect(behind).toBeLessThan(asItIs - 0.2);
  expect(over).toBeLessThan(behind);
}, 60_000);
