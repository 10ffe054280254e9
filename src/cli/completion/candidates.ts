import type { Argument, Command, Option } from 'commander';
import { suggestedValues } from './suggested-values.ts';

/** One way to complete a word. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** Whether names of files and folders are also possible. */
  readonly files: boolean;
}

const NOTHING: Candidates = { candidates: [], files: false };

/** Names of values that are paths, such as `<file>`. */
const PATH_NAMES: ReadonlySet<string> = new Set(['file', 'folder', 'records']);

/** Where the word to complete stands. */
interface Place {
  /** From the program to the innermost command. */
  readonly commands: readonly Command[];
  readonly operands: number;
  /** Options that were given already. */
  readonly used: ReadonlySet<Option>;
  /** The option whose value the word is. */
  readonly valueOf: Option | undefined;
}

/** Options of the command and of those that contain it; commander accepts both. */
function optionsOf(commands: readonly Command[]): Option[] {
  const byFlag = new Map<string, Option>();
  for (const command of commands.slice(1)) {
    for (const option of command.createHelp().visibleOptions(command)) {
      const flag = option.long ?? option.short;
      if (flag !== undefined) byFlag.set(flag, option);
    }
  }
  return [...byFlag.values()];
}

function findOption(commands: readonly Command[], flag: string): Option | undefined {
  return optionsOf(commands).find(({ long, short }) => long === flag || short === flag);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** Follows the words before the one to complete. */
function placeAfter(root: Command, words: readonly string[]): Place {
  const commands: Command[] = [root];
  const used = new Set<Option>();
  let operands = 0;
  let valueOf: Option | undefined;
  for (const word of words) {
    if (valueOf !== undefined) {
      valueOf = undefined;
    } else if (word.startsWith('-')) {
      const [flag = ''] = word.split('=');
      const option = findOption(commands, flag);
      if (option === undefined) continue;
      used.add(option);
      if (takesValue(option) && !word.includes('=')) valueOf = option;
    } else {
      const inner = operands === 0 ? commands.at(-1)?.commands.find((one) => one.name() === word) : undefined;
      if (inner === undefined) operands += 1;
      else commands.push(inner);
    }
  }
  return { commands, operands, used, valueOf };
}

function startingWith(candidates: readonly Candidate[], text: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(text));
}

function isPath(target: Option | Argument): boolean {
  const name = 'flags' in target ? (/[<[]([\w-]+)/.exec(target.flags)?.[1] ?? '') : target.name();
  return PATH_NAMES.has(name);
}

/** @param prefix what stands before the value in the same word, such as `--state=` */
async function valuesFor(target: Option | Argument, text: string, prefix = ''): Promise<Candidates> {
  const suggested = suggestedValues(target);
  if (suggested === undefined) return { candidates: [], files: prefix === '' && isPath(target) };
  const start = suggested.isList === true ? text.slice(0, text.lastIndexOf(',') + 1) : '';
  const given = new Set(start.split(','));
  const values = (await suggested.load()).filter((value) => !given.has(value));
  const candidates = values.map((value) => ({ value: `${prefix}${start}${value}` }));
  return { candidates: startingWith(candidates, `${prefix}${text}`), files: false };
}

function subcommands(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help')
    .map((inner) => ({ value: inner.name(), description: inner.description() }));
}

function unusedOptions({ commands, used }: Place): Candidate[] {
  return optionsOf(commands).flatMap((option) =>
    option.long === undefined || (used.has(option) && !option.variadic)
      ? []
      : [{ value: option.long, description: option.description }],
  );
}

function argumentAt(command: Command, position: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
}

/**
 * How the last word can be completed. It is derived from the commands themselves, so nothing has to
 * be added for a new option.
 * @param words everything after the name of the program; the last one can be empty
 */
export async function candidatesFor(root: Command, words: readonly string[]): Promise<Candidates> {
  const text = words.at(-1) ?? '';
  const place = placeAfter(root, words.slice(0, -1));
  const command = place.commands.at(-1) ?? root;
  if (place.valueOf !== undefined) return valuesFor(place.valueOf, text);
  if (text.startsWith('-')) {
    const [flag = '', ...value] = text.split('=');
    const option = value.length === 0 ? undefined : findOption(place.commands, flag);
    if (option !== undefined) return valuesFor(option, value.join('='), `${flag}=`);
    return { candidates: startingWith(unusedOptions(place), text), files: false };
  }
  const inner = place.operands === 0 ? startingWith(subcommands(command), text) : [];
  const argument = argumentAt(command, place.operands);
  const { candidates, files } = argument === undefined ? NOTHING : await valuesFor(argument, text);
  const all = [...inner, ...candidates];
  // Options come last, and only when there is nothing else.
  return all.length === 0 && !files && text === ''
    ? { candidates: unusedOptions(place), files }
    : { candidates: all, files };
}
