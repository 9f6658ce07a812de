/**
 * JPEG compression: x ← decode(encode(x; quality)): YCbCr, the cosine transform of blocks of 8 × 8 divided by the standard's
 * tables and rounded, colour at half resolution unless told otherwise. Edges are repeated to whole blocks.
 *
 * Dziugaite, Ghahramani, Roy, "A study of the effect of JPG compression on adversarial images", 2016; Das, Shanbhogue, Chen,
 * Hohman, Chen, Kounavis, Chau, "Keeping the Bad Guys Out: Protecting and Vaccinating Deep Learning with JPEG Compression",
 * 2017; Guo, Rana, Cisse, van der Maaten, "Countering Adversarial Images using Input Transformations", ICLR 2018, section 3.
 *
 * Rounding has no gradient. The adversary compresses on the way forward and goes around it on the way back: Athalye,
 * Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 5.2.1.
 */
import { defineDefense } from '../src/core/defense.ts';
import { jpegRoundTrip, SUBSAMPLINGS } from '../src/core/jpeg/round-trip.ts';
import { p } from '../src/core/params.ts';
import { backwardPass } from '../src/core/wrappers/backward-pass.ts';
import { preprocess } from '../src/core/wrappers/preprocess.ts';

export default defineDefense({
  name: 'jpeg',
  title: 'JPEG compression',
  paper: 'https://arxiv.org/abs/1705.02900',
  params: {
    quality: p.integer(75, 'quality, as libjpeg counts it', { min: 1, max: 100 }),
    subsampling: p.choice('4:2:0', SUBSAMPLINGS, 'of colour: once for each square of four pixels, or for every one'),
  },
  adversary: 'the identity in place of the compression (BPDA)',
  wrap: (classifier, options) => ({
    classifier: preprocess(classifier, backwardPass({ forward: (x) => jpegRoundTrip(x, options) })),
  }),
});
