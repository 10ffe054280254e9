import { constants } from 'node:fs';
import { access, lstat, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import { parseYaml } from '../../config/yaml-tree.ts';
import { codeOf } from '../doctor/finding.ts';
import { replaceFile } from '../replace-file.ts';
import { isSameHeader } from './wanted-webhook.ts';

/** Two files that hold the accepted values of one header, each in a `${file:…}` of its own. */
export interface SecretFiles {
  /** The value that `webhook.header` has. */
  readonly current: string;
  /** A second value that the same verifier accepts: during a rotation the former one. */
  readonly other: string;
  /** Text before the value in the header, such as `Bearer `. */
  readonly prefix: string;
}

/** Why a rotation cannot write the files itself; a part of a sentence. */
export type NoSecretFiles = { readonly why: string };

type Tree = Readonly<Record<string, unknown>>;

const FILE_ONLY = /^\$\{file:([^}]+)\}$/;

function treeOf(value: unknown): Tree {
  return typeof value === 'object' && value !== null ? (value as Tree) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fileOf(text: unknown): string | undefined {
  return typeof text === 'string' ? FILE_ONLY.exec(text)?.[1] : undefined;
}

/** The lists of values that a verifier compares with this header. */
function valueLists(source: Tree, headerName: string, isBearer: boolean): readonly unknown[][] {
  return listOf(source['verify']).map((entry) => {
    const verifier = treeOf(entry);
    const isHeader = verifier['type'] === 'header' && isSameHeader(String(verifier['name']), headerName);
    if (!isBearer && isHeader) return [...listOf(verifier['values'])];
    return isBearer && verifier['type'] === 'bearer' ? [...listOf(verifier['tokens'])] : [];
  });
}

const ANY_FILE = /\$\{file:([^}]+)\}/g;

/**
 * Whoever else reads one of the files would get another value too, such as a second source, whose
 * webhook still sends the former one.
 */
function sharedFile(tree: Tree, source: Tree, { current, other }: SecretFiles, folder: string) {
  const { verify: _verify, webhook: _webhook, ...rest } = source;
  const others = listOf(tree['sources']).map((entry) => (entry === source ? rest : entry));
  const text = JSON.stringify({ ...tree, sources: others });
  const files = [...text.matchAll(ANY_FILE)].map(([, file = '']) => resolve(folder, file));
  return [current, other].find((file) => files.includes(file));
}

/** Files that a container mounts one by one, or by symbolic links, are replaced from outside. */
async function notReplaceable(file: string): Promise<string | undefined> {
  try {
    const stats = await lstat(file);
    if (stats.isSymbolicLink()) return `${file} is a symbolic link, as mounted secrets are`;
    // A new file would belong to this user, and the relay could not read it.
    if (process.getuid !== undefined && stats.uid !== process.getuid())
      return `${file} belongs to another user than the one who runs this command`;
    await access(dirname(file), constants.W_OK);
    await access(file, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `${file} cannot be written by this user (${codeOf(error)})`;
  }
}

/** The files of the header's values, if the configuration has them in files that can be written. */
export async function secretFilesOf(
  { text, path }: Pick<LoadedConfig, 'text' | 'path'>,
  sourceName: string,
): Promise<SecretFiles | NoSecretFiles> {
  const tree = treeOf(parseYaml(text, path).value);
  const source = treeOf(listOf(tree['sources']).find((entry) => treeOf(entry)['name'] === sourceName));
  const header = treeOf(treeOf(source['webhook'])['header']);
  const template = String(header['value']);
  const prefix = /^Bearer /i.exec(template)?.[0] ?? '';
  const current = fileOf(template.slice(prefix.length));
  if (current === undefined) return { why: 'webhook.header.value is not one ${file:…}' };
  const lists = valueLists(source, String(header['name']), prefix !== '');
  const files = lists.map((list) => list.map(fileOf).filter((file) => file !== undefined));
  const other = files.find((list) => list.includes(current))?.find((file) => file !== current);
  if (other === undefined)
    return { why: `the verifier of this header does not have \${file:${current}} and a second \${file:…}` };
  const folder = dirname(path);
  const found = { current: resolve(folder, current), other: resolve(folder, other), prefix };
  const shared = sharedFile(tree, source, found, folder);
  if (shared !== undefined) return { why: `${shared} is used elsewhere in the configuration too` };
  const why = (await notReplaceable(found.current)) ?? (await notReplaceable(found.other));
  return why === undefined ? found : { why };
}

export async function readSecret(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).replace(/[\r\n]+$/, '');
}

/** Replaces the content in one step, so that the relay never reads a part of it. */
export async function writeSecret(file: string, secret: string): Promise<void> {
  await replaceFile(file, `${secret}\n`);
}
