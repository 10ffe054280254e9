import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { parseJsonText } from '../../capillary/json.ts';
import { CommandError, EXIT } from '../command-error.ts';

/** The text of a file, or of standard input for `-`. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') return textOf(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandError(`${file} cannot be read (${code})`, EXIT.usage);
  }
}

function isJson(text: string): boolean {
  const parsed = parseJsonText(text);
  return parsed.ok || parsed.code !== 'not-json';
}

/**
 * The non-empty lines, if the first of them is JSON by itself. An invalid later line is then
 * reported by itself, instead of the whole text.
 */
function jsonLines(text: string): readonly string[] | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.length > 1 && isJson(lines[0] ?? '') ? lines : undefined;
}

/**
 * Splits a text into event bodies as they would be posted: one event, an array of events, or one
 * event per line.
 */
export function splitBodies(text: string): readonly string[] {
  const whole = parseJsonText(text);
  if (!whole.ok) return jsonLines(text) ?? [text];
  return Array.isArray(whole.value) ? whole.value.map((item) => JSON.stringify(item)) : [text];
}
