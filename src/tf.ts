/**
 * The one door to TensorFlow.js: everyone imports `tf` from here, so that one copy, with its gradients registered, serves
 * the whole program.
 */
import * as tensorflow from '@tensorflow/tfjs';

// Silences the console banner that the `cpu` backend prints on its first tensor.
tensorflow.env().set('PROD', true);

/** TensorFlow.js, the one copy of it. */
export * as tf from '@tensorflow/tfjs';
