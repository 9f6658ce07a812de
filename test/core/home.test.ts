import { describe, expect, it } from 'vitest';
import { gibbonHome } from '../../src/core/home.ts';

describe("Gibbon's home", () => {
  it.each<[NodeJS.Platform, string, Record<string, string>, string]>([
    ['linux', '/home/ada', {}, '/home/ada/.cache/gibbon'],
    ['linux', '/home/ada', { XDG_CACHE_HOME: '/fast' }, '/fast/gibbon'],
    ['linux', '/home/ada', { XDG_CACHE_HOME: 'not/absolute' }, '/home/ada/.cache/gibbon'],
    ['linux', '/home/ada', { GIBBON_HOME: '', XDG_CACHE_HOME: '' }, '/home/ada/.cache/gibbon'],
    ['linux', '/home/ada', { GIBBON_HOME: '/data/gibbon', XDG_CACHE_HOME: '/fast' }, '/data/gibbon'],
    ['darwin', '/Users/ada', { XDG_CACHE_HOME: '/fast' }, '/Users/ada/Library/Caches/gibbon'],
    ['win32', 'C:\\Users\\ada', { LOCALAPPDATA: 'D:\\Local' }, 'D:\\Local\\gibbon'],
    ['win32', 'C:\\Users\\ada', {}, 'C:\\Users\\ada\\AppData\\Local\\gibbon'],
  ])('on %s for %s with %j is %s', (platform, user, environment, expected) => {
    expect(gibbonHome({ platform, user, environment })).toBe(expected);
  });
});
