import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { repairUtil } from '../../src/backends/repair-util.ts';

type Util = Record<string, ((value: unknown) => boolean) | undefined>;

describe('what newer Node.js took from its util', () => {
  it.each(['isNullOrUndefined', 'isArray'])('is put back: %s', (name) => {
    const util = createRequire(import.meta.url)('node:util') as Util;
    const before = util[name];
    try {
      delete util[name];
      repairUtil();
      const restored = createRequire(import.meta.url)('util')[name] as (value: unknown) => boolean;
      const values = [null, undefined, [], [1], 0, '', false, {}, { length: 0 }];
      expect(values.filter(restored)).toEqual(name === 'isArray' ? [[], [1]] : [null, undefined]);
    } finally {
      util[name] = before;
    }
  });

  it('stays where it is still there', () => {
    const own = () => true;
    const util: Util = { isArray: own };
    repairUtil(util);
    expect(util.isArray).toBe(own);
  });
});
