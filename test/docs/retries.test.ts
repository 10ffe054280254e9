import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pathOf } from '../deploy/files.ts';

const ROOTS = ['README.md', 'ARCHITECTURE.md', 'openapi.yaml', 'docker-compose.yml'];
const FOLDERS = ['docs', 'deploy', 'examples', 'src'];
/** It quotes each source for the times, which the others do not. */
const FACTS = 'docs/platforms/capillary.md';

const RETRIES = /\b(?:retr(?:y|ies|ied)|tries|repeats?|resends?|gives? up|giving up|sends? .{0,30}again)\b/i;
const SENDER = /\bCapillary\b/;
const AMOUNT =
  /\b(?:a while|limited time|(?:[\w.]+ )?(?:seconds?|minutes?|hours?|days?|weeks?))\b|(?<![-\w.])\d+ ?(?:ms|s|m|min|h|d)\b/gi;
/** The two facts, and what to do about them. */
const KNOWN =
  /^(?:about five minutes|five minutes|(?:for|of|within|few|in) minutes|minutes|(?:up to )?seven days|7 ?d(?:ays)?|5 ?m(?:in)?)$/i;

interface Paragraph {
  readonly place: string;
  readonly text: string;
}

/** What a file says: its comments and texts if it is code, its lines if it is JSON. */
function textsOf(file: string, content: string): { text: string; line: number }[] {
  const code = /\/\*\*[^]*?\*\/|(?:^ *\/\/.*\n)+|`[^`]*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/gm;
  const parts = file.endsWith('.ts') ? content.matchAll(code) : content.matchAll(/[^]+/g);
  return [...parts].map(({ 0: text, index }) => ({ text, line: content.slice(0, index).split('\n').length }));
}

/** Paragraphs, list items, table rows and comments, each on one line. */
function paragraphsOf(file: string, content: string): Paragraph[] {
  const paragraphs: { place: string; text: string }[] = [];
  for (const { text, line: first } of textsOf(file, content)) {
    let isNew = true;
    for (const [index, line] of text.split('\n').entries()) {
      const plain = line.replace(/^\s*(?:\/\*\*|\*\/|\*|\/\/|#(?!#))? ?/, '').trim();
      if (isNew || file.endsWith('.json') || /^(?:[-|#]|\d+\.|[\w-]+: )/.test(plain))
        paragraphs.push({ place: `${file}:${first + index}`, text: '' });
      const last = paragraphs.at(-1);
      if (last !== undefined) last.text = `${last.text} ${plain}`.trim();
      isNew = plain === '';
    }
  }
  return paragraphs.filter(({ text }) => SENDER.test(text));
}

/** Why a paragraph says something else about Capillary's retries than #patience does. */
function contradictionIn({ text }: Pick<Paragraph, 'text'>): string | undefined {
  for (const sentence of text.split(/(?<=[.!?;])\s+|\s\|\s/)) {
    if (!SENDER.test(sentence) || !RETRIES.test(sentence)) continue;
    const amounts = sentence.match(AMOUNT) ?? [];
    const other = amounts.find((amount) => !KNOWN.test(amount));
    if (other !== undefined) return `names another time: ${other}`;
    const isPromise = amounts.some((amount) => /days|\dd/i.test(amount));
    if (isPromise && !/promise/.test(sentence)) return 'takes the promise of seven days for a fact';
    if (/\bfive minutes\b/.test(sentence) && !/seven days|\blog\b/.test(sentence))
      return 'does not say where the five minutes are from';
  }
  return undefined;
}

function filesBelow(folder: string): string[] {
  return readdirSync(pathOf(folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((name) => statSync(pathOf(name)).isFile() && /\.(?:ts|md|ya?ml|tpl|txt|json)$/.test(name));
}

const paragraphs = [...ROOTS, ...FOLDERS.flatMap(filesBelow)]
  .filter((file) => file !== FACTS)
  .flatMap((file) => paragraphsOf(file, readFileSync(pathOf(file), 'utf8')));

describe('how long Capillary retries', () => {
  it('is said in one place, and nowhere differently', () => {
    const facts = readFileSync(pathOf(FACTS), 'utf8').split('### Patience\n')[1]?.split('\n### ')[0] ?? '';
    for (const words of [
      'About ten attempts within about five minutes',
      'Up to seven days',
      'Plan for minutes',
    ])
      expect(facts).toContain(words);
    const found = paragraphs.flatMap((paragraph) => {
      const why = contradictionIn(paragraph);
      return why === undefined ? [] : [`${paragraph.place} ${why}: ${paragraph.text}`];
    });
    expect(found).toEqual([]);
  });

  it('is said with both facts where it is said at length, with a link to them', () => {
    const atLength = paragraphs.filter(
      ({ place, text }) => /about five minutes/.test(text) && /^(?:docs|README|openapi)/.test(place),
    );
    expect(atLength.length).toBeGreaterThan(4);
    for (const { place, text } of atLength)
      expect({ place, text }).toEqual({ place, text: expect.stringMatching(/seven days.*#patience/s) });
  });

  it.each([
    'Capillary retries an event for a limited time only.',
    'Capillary retries them for a while; the log has each error.',
    'In an outage Capillary gives up after a few seconds.',
    'Capillary retries for 24 hours.',
    'Kept for at least 7d, because Capillary retries that long.',
    'Capillary retries for seven days, so an outage of an hour is harmless.',
    'Nothing is lost: Capillary resends it for five minutes.',
  ])('would not be said as: %s', (text) => {
    expect(contradictionIn({ text })).toBeDefined();
  });

  it.each([
    'Capillary tries an event about ten times within about five minutes by its log; it promises up to seven days.',
    'Plan for minutes of retries by Capillary.',
    'It was answered 400, after which Capillary does not retry.',
    'Capillary waits 30 s for an answer.',
  ])('can be said as: %s', (text) => {
    expect(contradictionIn({ text })).toBeUndefined();
  });
});
