import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The pages in docs/, from the root. */
export const pages = readdirSync(`${ROOT}docs`)
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/**
 * Command lines of the shell blocks of a page (its path from the root), in order, without comments;
 * a line that ends with a backslash goes on.
 */
export function shellLines(page: string): string[] {
  return [...readFileSync(`${ROOT}${page}`, 'utf8').matchAll(/^( *)```sh\n(.*?)^\1```/gms)].flatMap(
    ([, , block = '']) =>
      block
        .replaceAll(/\\\n\s*/g, '')
        .split('\n')
        .map((line) => line.replace(/\s+#\s.*$/, '').trim())
        .filter((line) => line !== ''),
  );
}

/** `relay 0.3.0` is the function of docs/upgrade.md, which runs the image of that version. */
const START = /^(?:capillary-relay |relay \d+\.\d+\.\d+ )/;

/**
 * The words after the program's name; undefined for a line of another program. Quotes hold words
 * together.
 */
export function relayWords(line: string): string[] | undefined {
  if (!START.test(line)) return undefined;
  const words = line.replace(START, '').match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const end = words.findIndex((word) => ['|', '>', '&&', ';', '&'].includes(word));
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));
}
