/** Keys and positions from the top of the configuration to one value. */
export type Path = readonly (string | number)[];

/** Something wrong with one value. Never holds the value of a secret. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** What to do about it. */
  readonly cure: string;
}

/** A finding as it is told to a person. */
export interface ConfigProblem {
  /** Such as `destinations[0].inletUrl`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly cure: string;
  /** Where in the file, counted from 1; absent when the value is not in the file. */
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

function formatProblem(problem: ConfigProblem, file: string): string {
  const { path, message, cure, line, column } = problem;
  const place = line === undefined ? file : `${file}:${line}${column === undefined ? '' : `:${column}`}`;
  return `${place}${path === '' ? '' : `  ${path}`}\n  problem: ${message}\n  cure:    ${cure}`;
}

/** One block for each problem: where it is, what is wrong, what to do. */
export function formatProblems(problems: readonly ConfigProblem[], file: string): string {
  return problems.map((problem) => formatProblem(problem, file)).join('\n\n');
}

/** The configuration cannot be used. Its message lists every problem and holds no secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`${count} in the configuration\n\n${formatProblems(problems, file)}`);
    this.file = file;
    this.problems = problems;
  }
}
