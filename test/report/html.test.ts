import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeHtml, html, jsonForScript, printable, raw } from '../../src/report/html.ts';
import { hostileText } from './arbitrary-run.ts';
import { textOf } from './markup.ts';

describe('escaping', () => {
  test('leaves no character that could open a tag, close a quote or start an entity of its own', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replace(/&(?:amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });

  test('is undone by a reader: what is seen is the printable text', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(textOf(escapeHtml(text))).toBe(printable(text).replace(/\s+/g, ' '));
      }),
    );
  });

  test('happens to texts, numbers and lists in a template, but not to HTML', () => {
    const inner = html`<b>${'<'}</b>`;
    expect(html`${'&'}|${1}|${[inner, '>']}|${raw('<i>')}|${null}${undefined}${false}`.toString()).toBe(
      '&amp;|1|<b>&lt;</b>&gt;|<i>|',
    );
  });

  test('makes unprintable characters visible and keeps everything else', () => {
    expect(printable('a\u0000b\u001b[1m\u202ec\ud800d\n\t猿🦧')).toBe('a\ufffdb\ufffd[1m\ufffdc\ufffdd\n\t猿🦧');
  });
});

describe('JSON inside a script element', () => {
  test('cannot close the element or end a line, and comes back as it went in', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.jsonValue()), (value) => {
        const text = jsonForScript(value).toString();
        expect(text).not.toMatch(/[<\u2028\u2029]/);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
