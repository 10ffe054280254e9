import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { readBodyText, toStoredBody } from '../../capillary/body-text.ts';
import { parseJsonText } from '../../capillary/json.ts';
import { CommandError, EXIT } from '../command-error.ts';

/**
 * The event bodies in a file, or in standard input for `-`. Those of a file that is not UTF-8 are
 * bytes, because the relay reads such bodies in its own way.
 */
export async function readBodies(file: string): Promise<readonly (string | Uint8Array)[]> {
  const body = toStoredBody(await readInput(file), undefined);
  const { text, isWindows1252 } = readBodyText(body);
  if (!isWindows1252) return splitBodies(text);
  // As Latin-1, each character stands for one byte, so that splitting keeps the bytes.
  return splitBodies(Buffer.from(body).toString('latin1')).map((part) => Buffer.from(part, 'latin1'));
}

/** The text of a stored body, or its bytes if they are not UTF-8. */
export function textOrBytes(body: Uint8Array): string | Uint8Array {
  const { text, isWindows1252 } = readBodyText(body);
  return isWindows1252 ? body : text;
}

/** The content of a file, or of standard input for `-`. */
export async function readInput(file: string): Promise<Buffer> {
  if (file === '-') return buffer(process.stdin);
  try {
    return await readFile(file);
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
