import { readFile } from 'node:fs/promises';
import { editConfig } from '../../config/edit-config.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { parseYaml } from '../../config/yaml-tree.ts';
import { CommandError } from '../command-error.ts';
import { replaceFile } from '../replace-file.ts';
import { editsOf, type MissingValue } from './config-completion.ts';

/** What a destination of the configuration lacks. */
export interface DestinationValues {
  readonly destination: string;
  /** Its position in the file as it was loaded. */
  readonly index: number;
  readonly values: readonly MissingValue[];
}

/** The names of all destinations as they are written, which can be placeholders. */
function writtenNames(text: string, file: string): readonly unknown[] {
  const tree = parseYaml(text, file).value as { readonly destinations?: unknown } | null | undefined;
  const destinations: readonly unknown[] = Array.isArray(tree?.destinations) ? tree.destinations : [];
  return destinations.map((entry) => (entry as { readonly name?: unknown } | null)?.name);
}

/**
 * Sets the values in the file. It is read now, since somebody can have edited it meanwhile, and a
 * destination is found by its name.
 * @throws CommandError if a destination is not there any more, or the file cannot be written
 * @throws ConfigError if a value cannot be set in place
 */
export async function writeValues(
  { path, text: loaded }: Pick<LoadedConfig, 'path' | 'text'>,
  completions: readonly DestinationValues[],
): Promise<void> {
  const text = await readFile(path, 'utf8');
  const before = writtenNames(loaded, path);
  const now = writtenNames(text, path);
  const edits = completions.flatMap(({ destination, index, values }) => {
    const position = now.indexOf(before[index]);
    if (values.length > 0 && position < 0)
      throw new CommandError(
        `${path} was changed meanwhile and has no destination ${destination} any more; fix: run the command again`,
      );
    return editsOf(values, position);
  });
  if (edits.length > 0) await replaceFile(path, editConfig(text, edits, path));
}
