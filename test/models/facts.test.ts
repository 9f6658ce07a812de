import { describe, expect, it } from 'vitest';
import { factsOf } from '../../src/models/facts.ts';
import { multiplyAdds } from '../../src/models/multiply-adds.ts';
import { assembleNetwork, specOf } from '../../src/models/network.ts';
import { architectures } from '../../src/models/registry.ts';

/**
 * Multiply-adds in millions as torchvision states them of its weights (`_ops`, in thousands of millions); MobileNet V1's from its
 * paper, table 8.
 */
const MILLIONS: Readonly<Record<string, number>> = {
  alexnet: 714,
  vgg11: 7609,
  vgg13: 11_308,
  vgg16: 15_470,
  vgg19: 19_632,
  googlenet: 1498,
  resnet18: 1814,
  resnet34: 3664,
  resnet50: 4089,
  densenet121: 2834,
  densenet169: 3360,
  mobilenet_v1: 569,
  mobilenet_v2: 301,
};

describe.each(architectures)('what is known of $name', (architecture) => {
  const { name } = architecture;
  const facts = factsOf(architecture);

  it('is what its layers count to', () => {
    const network = assembleNetwork(specOf(name, 'imagenet', [224, 224, 3], 1000));
    const { parameters } = network;
    expect(facts).toMatchObject({ parameters, multiplyAdds: multiplyAdds(network.model) });
    network.dispose();
  });

  it('is as much work as others have counted', () => {
    expect(Math.round(facts.multiplyAdds / 1e6)).toBe(MILLIONS[name]);
  });

  it('has a published accuracy that can be, and says whose it is', () => {
    const { top1 = 0, top5 = 1, source } = facts.published ?? {};
    expect(top1).toBeGreaterThan(0.5);
    expect(top5).toBeGreaterThan(top1);
    expect(source).toMatch(/^torchvision, IMAGENET1K_V1$|^[A-Z].* \d{4}, table \d+$/);
  });
});

it('an architecture whose counts nobody has entered is named', () => {
  expect(() => factsOf({ name: 'lenet' })).toThrow('src/models/facts.ts has no counts of lenet');
});
