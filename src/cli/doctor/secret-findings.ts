import { type Stats, statSync } from 'node:fs';
import { shellWord } from '../../journal/sqlite/offline/stopped-store.ts';
import { type Finding, codeOf, fail, ok, warn } from './finding.ts';

const CHECK = 'secret file';
const DAY_MS = 86_400_000;
const MAX_AGE_DAYS = 90;

const GROUP_READ = 0o040;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

function modeOf({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}

/** Who reads the secrets: the user of this process. */
export interface SecretReader {
  readonly uid: number;
  readonly groups: readonly number[];
}

function currentReader(): SecretReader {
  return {
    uid: process.geteuid?.() ?? 0,
    groups: [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])],
  };
}

/** Closes the file to others without closing it to the relay. */
export function closeFix(
  path: string,
  { mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  reader = currentReader(),
): string {
  const mounted = 'in Kubernetes: mount it with defaultMode: 0440 and the fsGroup of the pod';
  const close = `chmod o-rwx ${shellWord(path)}`;
  if (reader.uid === 0 && uid !== 0) return `if user ${uid} runs the relay: ${close}; ${mounted}`;
  if (uid === reader.uid || (reader.groups.includes(gid) && (mode & GROUP_READ) !== 0))
    return `${close}; ${mounted}`;
  return `copy it to a file of user ${reader.uid} with mode 0400, which only the relay reads; ${mounted}`;
}

function secretFinding(path: string, now: number): Finding {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    return fail(
      CHECK,
      `${path} cannot be accessed (${codeOf(error)})`,
      'mount it again; a running relay still has the value that it read',
    );
  }
  const days = Math.floor((now - stats.mtimeMs) / DAY_MS);
  if ((stats.mode & OTHERS_WRITE) !== 0)
    return fail(CHECK, `${path} is writable by everyone (mode ${modeOf(stats)})`, closeFix(path, stats));
  if ((stats.mode & OTHERS_READ) !== 0)
    return warn(CHECK, `${path} is readable by everyone (mode ${modeOf(stats)})`, closeFix(path, stats));
  if (days > MAX_AGE_DAYS)
    return warn(
      CHECK,
      `${path} is ${days} days old`,
      'rotate the secret; the relay reads the file again when it changes',
    );
  return ok(CHECK, `${path}: mode ${modeOf(stats)}, ${days} days old`);
}

/**
 * Checks permissions and age of the files that `${file:…}` refers to. Secrets from the environment
 * have neither.
 * @param now epoch ms
 */
export function secretFindings(files: readonly string[], now: number): Finding[] {
  return files.map((path) => secretFinding(path, now));
}
