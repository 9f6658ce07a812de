/** The program on TensorFlow's own library: with one that stands in for it, and with the real one where it is set up. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAddon, hasAddon, SETUP, SETUP_VARIABLE } from '../../src/backends/tensorflow-package.ts';
import { fakeSetup } from '../backends/fake-addon.ts';
import { attackOn, expectSame } from './attack-on.ts';
import { makeWorkplace, type Workplace } from './workplace.ts';

let work: Workplace;
let fake: string;
beforeAll(async () => {
  work = await makeWorkplace();
  fake = await fakeSetup({});
});
afterAll(async () => {
  await work.remove();
  await rm(fake, { recursive: true });
});

describe("on TensorFlow's own library an attack ends at the images that it ends at on ONNX Runtime", () => {
  it('with a library that stands in for it', async () => {
    expectSame(
      await attackOn('tensorflow', work, 'fake', { [SETUP_VARIABLE]: fake }),
      await attackOn('onnx-cpu', work, 'reference'),
    );
  });

  it('with the real one', async ({ skip }) => {
    skip(!hasAddon(), `neither tfjs-node-gpu nor tfjs-node is here: ${SETUP} installs one`);
    expect(findAddon()).toContain('tfjs-node');
    expectSame(await attackOn('tensorflow', work, 'real'), await attackOn('onnx-cpu', work, 'onnx'));
  });
});
