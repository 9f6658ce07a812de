#!/usr/bin/env node
// A clone runs its TypeScript sources through tsx; an installed package holds what was built from them instead.
import { existsSync } from 'node:fs';

const source = new URL('../src/cli/door.ts', import.meta.url);
const isClone = existsSync(source);
if (isClone) (await import('tsx/esm/api')).register();

const { enter } = await import(isClone ? source.href : new URL('../dist/src/cli/door.js', import.meta.url).href);
process.exitCode = await enter(process.argv.slice(2));
