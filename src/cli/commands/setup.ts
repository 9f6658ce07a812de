import { unknownName, usageError } from '../../core/errors.ts';
import { p } from '../../core/params.ts';
import { defineCommand, EXIT } from '../command.ts';
import { oneOf, optional, word } from '../flags.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { checkCuda, setUpCuda } from '../setup/cuda.ts';
import { checkTensorflow, setUpTensorflow } from '../setup/tensorflow.ts';

const THINGS = ['tensorflow', 'cuda'] as const;

export const setup = defineCommand({
  words: THINGS.join('|'),
  flags: {
    libtensorflow: optional(
      word('', 'of tensorflow: build against the libraries that lie there', 'a folder'),
      'they are downloaded',
    ),
    gpu: oneOf('auto', ['auto', 'yes', 'no'], "of tensorflow: whether it is for NVIDIA's graphics processors"),
    anew: p.boolean(false, 'fetch and build it although it is there'),
    check: p.boolean(false, 'change nothing, and only say whether it works'),
  },
  run: async ({ values, given, words, terminal }) => {
    const [what, ...more] = words;
    if (what === undefined || more.length > 0) throw usageError(`name one thing to set up: ${THINGS.join(' or ')}`);
    if (what !== 'tensorflow' && what !== 'cuda') throw unknownName('thing to set up', what, THINGS);
    for (const flag of ['libtensorflow', 'gpu']) {
      if (what === 'cuda' && given.has(flag)) throw usageError(`--${flag} belongs to gibbon setup tensorflow`);
    }
    if (values.check) return what === 'tensorflow' ? checkTensorflow(terminal) : checkCuda(terminal);
    const interrupt = listenForInterrupt(() =>
      terminal.note('clearing away what was begun; Ctrl-C again ends at once'),
    );
    try {
      return await (what === 'tensorflow'
        ? setUpTensorflow(values, terminal)
        : setUpCuda({ anew: values.anew }, terminal));
    } catch (error) {
      if (interrupt.signal.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      interrupt.release();
    }
  },
});
