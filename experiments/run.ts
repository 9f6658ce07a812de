/** The main job: `npm run experiment -- --attack fgsm --arch vgg16`. A thin door to the command line. */
import { enter } from '../src/cli/door.ts';

process.exitCode = await enter(['experiment', ...process.argv.slice(2)]);
