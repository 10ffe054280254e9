import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** Absolute path of a file of the project. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}

export function textOf(name: string): string {
  return readFileSync(pathOf(name), 'utf8');
}

/** Parses YAML or JSON. @throws Error for duplicate keys */
export function treeOf(name: string): ReturnType<typeof JSON.parse> {
  return parse(textOf(name), { merge: true });
}
