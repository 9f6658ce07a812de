/** The process in which a backend is tried; its name is the argument. */
import { tellOf } from './answer.ts';
import type { BackendName } from './names.ts';
import { KINDS } from './table.ts';

await tellOf(() => KINDS[process.argv[2] as BackendName].open());
