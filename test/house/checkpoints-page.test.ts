import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bundledNetworks, checkpointsPage, figuresOf, PAGE, readFigures } from '../../docs/checkpoints.ts';

const networks = await bundledNetworks();
const figures = readFigures();
const page = await checkpointsPage(figures);

describe('the page of bundled networks', () => {
  it('is what the files and the figures say (UPDATE_README=1 writes it anew)', () => {
    if (process.env.UPDATE_README === '1') writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, 'utf8')).toBe(page);
  });

  it.each(networks)('$name has at most a megabyte, a seed, and the command that makes it', (network) => {
    expect(statSync(network.path).size).toBeLessThanOrEqual(1e6);
    const { architecture, training, command } = network;
    expect(command).toContain(`--arch ${architecture} --training ${training}`);
    expect(page).toContain(command);
  });

  it('states figures of these very weights, and of no others', async () => {
    const [network] = networks;
    if (network === undefined) return expect.unreachable('there are no networks');
    const known = { attack: 'pgd', epsilon: 0.3, images: 10_000, cleanCorrect: 9812, robustCorrect: 9355, command: '' };
    const of = (sha256: string) => ({ [network.name]: { sha256, figures: [known] } });
    expect(await checkpointsPage(of(network.sha256))).toContain('98.12 %');
    expect(await checkpointsPage(of(network.sha256))).toContain('93.55 % (93.');
    expect(await checkpointsPage(of('another'))).not.toContain('93.55 %');
  });

  it('leaves no figure of a network that is gone or has changed', () => {
    for (const [name, { figures: measured }] of Object.entries(figures)) {
      const network = networks.find((one) => one.name === name);
      expect(network && figuresOf(network, figures), name).toEqual(measured);
    }
  });
});
