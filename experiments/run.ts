/** The main job: `npm run experiment -- --attack fgsm --arch vgg16`. A thin door to the command line. */
import { main } from '../src/cli/main.ts';

process.exitCode = await main(['experiment', ...process.argv.slice(2)]);
