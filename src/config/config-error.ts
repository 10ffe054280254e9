/** Keys and list positions from the top of the configuration to a value. */
export type Path = readonly (string | number)[];

/** A problem with one value. Never contains the value of a secret. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** How to fix it. */
  readonly fix: string;
  /** A warning does not make the configuration invalid. */
  readonly severity?: 'warning';
}

/** A finding as it is printed; with `check --json`, its fields are the output. */
export interface ConfigProblem {
  /** Such as `destinations[0].inletUrl`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** How to fix it. */
  readonly fix: string;
  /** Position in the file, counted from 1; absent if the value is not in the file. */
  readonly line?: number;
  readonly column?: number;
}

/** `['destinations', 0, 'inletUrl']` → `destinations[0].inletUrl`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Where a problem is, such as `relay.yaml:3:5  server.port`. */
export function formatPlace({ path, line, column }: ConfigProblem, file: string): string {
  const place = line === undefined ? file : `${file}:${line}${column === undefined ? '' : `:${column}`}`;
  return path === '' ? place : `${place}  ${path}`;
}

function formatProblem(problem: ConfigProblem, file: string, kind: 'problem' | 'warning'): string {
  return `${formatPlace(problem, file)}\n  ${kind}: ${problem.message}\n  fix:     ${problem.fix}`;
}

/** Problems in a text. Of a long list, the first are usually the cause of the others. */
const MAX_SHOWN = 20;

/** One paragraph per problem: where it is, what is wrong, how to fix it. */
export function formatProblems(
  problems: readonly ConfigProblem[],
  file: string,
  kind: 'problem' | 'warning' = 'problem',
): string {
  const shown = problems.slice(0, MAX_SHOWN).map((problem) => formatProblem(problem, file, kind));
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n\n');
}

/** The configuration cannot be used. The message lists all problems and contains no secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];
  /** Absolute paths of the files in `${file:…}` that cannot be read or are empty. */
  readonly unreadable: readonly string[];

  constructor(file: string, problems: readonly ConfigProblem[], unreadable: readonly string[] = []) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`${count} in the configuration\n\n${formatProblems(problems, file)}`);
    this.file = file;
    this.problems = problems;
    this.unreadable = unreadable;
  }
}
