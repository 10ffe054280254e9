import { styleText } from 'node:util';
import { wrapText } from '../fitting-table.ts';

export type Tone = 'bold' | 'green' | 'yellow' | 'red' | 'dim';

/** One line of the screen. */
export interface Line {
  readonly text: string;
  readonly tone?: Tone;
  /** Indentation of what does not fit and goes on below. */
  readonly hang?: number;
  /** Where the screen is too low, lower numbers are left out first; without it never. */
  readonly keep?: number;
}

/** What matters more is kept longer. */
export const KEEP = { blank: 1, rates: 2, rest: 3, hints: 4, held: 5, refusals: 6 } as const;

/** Lines that one text may take; Adobe's answers can be long. */
const MAX_LINES = 3;

/** The line as one or several that fit, broken between words. */
export function wrapLine({ text, hang = 2, ...more }: Line, width: number): Line[] {
  const rest = more.keep === undefined ? {} : { keep: Math.min(more.keep, KEEP.rest) };
  return wrapText(text, width, { hang, maxLines: MAX_LINES }).map((line, index) => ({
    ...more,
    text: line,
    ...(index === 0 ? {} : rest),
  }));
}

function markOf(count: number): Line {
  return { text: `  … ${count} more ${count === 1 ? 'line' : 'lines'}`, tone: 'dim' };
}

/**
 * The lines without those that matter least, so that they fit; one line says how many are missing.
 * The last line always stays.
 */
export function fitHeight(lines: readonly Line[], height: number): Line[] {
  const isBlank = (index: number): boolean => lines[index]?.text === '';
  const missing = new Set<number>();
  const excess = (): number => {
    const isMarked = [...missing].some((index) => !isBlank(index));
    return lines.length - missing.size + (isMarked ? 1 : 0) - height;
  };
  const candidates = lines
    .flatMap(({ keep, text }, index) => (text === '' ? { rank: KEEP.blank, index } : { rank: keep, index }))
    .filter(({ rank }) => rank !== undefined)
    .toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || b.index - a.index);
  for (const { index } of candidates) {
    if (excess() <= 0) break;
    missing.add(index);
  }
  // Even what is never left out may be too much.
  for (let index = lines.length - 2; excess() > 0 && index > 0; index -= 1) missing.add(index);
  const texts = [...missing].filter((index) => !isBlank(index));
  const first = Math.min(...texts);
  return lines.flatMap((line, index) => {
    if (index === first) return markOf(texts.length);
    return missing.has(index) ? [] : line;
  });
}

/** Colours the lines, unless NO_COLOR is set or the output is a pipe. */
export function paint(lines: readonly Line[]): string[] {
  return lines.map(({ text, tone }) => (tone === undefined || text === '' ? text : styleText(tone, text)));
}
