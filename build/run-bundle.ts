import { fileURLToPath } from 'node:url';
import { loadBundle } from './load-bundle.ts';

const [file, byteCodeFile] = ['relay.cjs', 'relay.bytecode'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
) as [string, string];

export const { run } = loadBundle(file, byteCodeFile).bundle;
