import { LEFT_OUT, PERSONS } from '../../src/mapping/left-out-fields.ts';

/** A path with the identifying objects of an event as `<person>` and one spelling of a channel. */
function shownPath(path: string): string {
  const person = PERSONS.find((prefix) => path.startsWith(`${prefix}.`));
  const shown = person === undefined ? path : `<person>${path.slice(person.length)}`;
  return `\`${shown.replace(/\.instore\./i, '.instore.')}\``;
}

/** The table of fields that are left out on purpose, for docs/mapping.md. */
export function leftOutText(): string {
  return [
    '| Fields of `data` | Why |',
    '|---|---|',
    ...LEFT_OUT.map(
      ({ paths, reason }) => `| ${[...new Set(paths.map(shownPath))].join(', ')} | ${reason} |`,
    ),
  ].join('\n');
}
