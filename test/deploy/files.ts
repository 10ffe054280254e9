import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** Absolute path of a file of the project. */
export const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

export const textOf = (name: string): string => readFileSync(pathOf(name), 'utf8');

/** YAML, or JSON, which is YAML too. Duplicate keys are refused. */
export const treeOf = (name: string): ReturnType<typeof JSON.parse> => parse(textOf(name), { merge: true });
