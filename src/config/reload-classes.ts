import type { Config } from './config-schema.ts';
import { isSameDatabase } from './store-url.ts';

/** When a changed key takes effect: with a reload, or with a restart of the relay only. */
export type ReloadClass = 'reload' | 'restart';

/**
 * Every key of the configuration, or a key above it, with the moment at which a change of it takes
 * effect. docs/configuration.md is generated from this, and a test holds it against the schema.
 */
export const RELOAD_CLASSES: Readonly<Record<string, ReloadClass>> = {
  'server.host': 'restart',
  'server.port': 'restart',
  'server.bodyLimit': 'reload',
  'server.trustProxy': 'restart',
  'server.rateLimit': 'reload',
  'admin.host': 'restart',
  'admin.port': 'restart',
  'admin.token': 'reload',
  egress: 'reload',
  'store.engine': 'restart',
  'store.path': 'restart',
  'store.expect': 'restart',
  'store.url': 'restart',
  'store.schema': 'restart',
  'store.connections': 'restart',
  'store.maxBytes': 'reload',
  'store.minFree': 'reload',
  'store.retention': 'reload',
  'store.encryptionKeys': 'restart',
  sources: 'reload',
  destinations: 'reload',
  'log.level': 'reload',
};

/** The class of a key such as `server.rateLimit.max`; undefined if the table does not have it. */
export function reloadClassOf(key: string): ReloadClass | undefined {
  const entry = Object.entries(RELOAD_CLASSES).find(
    ([prefix]) => key === prefix || key.startsWith(`${prefix}.`) || key.startsWith(`${prefix}[`),
  );
  return entry?.[1];
}

type Tree = Readonly<Record<string, unknown>>;

/**
 * The next configuration with the running values of all keys that need a restart, so that one
 * object describes how the relay runs.
 */
export function keepRestartKeys(running: Config, next: Config): Config {
  let result = next;
  for (const [path, takesEffect] of Object.entries(RELOAD_CLASSES)) {
    const [section = '', key] = path.split('.');
    if (takesEffect === 'reload' || key === undefined) continue;
    // Another user or password takes effect with the next connection.
    if (path === 'store.url' && isSameDatabase(running.store.url, next.store.url)) continue;
    const sectionOf = (config: Tree): Tree => config[section] as Tree;
    result = { ...result, [section]: { ...sectionOf(result), [key]: sectionOf(running)[key] } };
  }
  return result;
}
