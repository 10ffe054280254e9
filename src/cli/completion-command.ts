import type { Command } from 'commander';
import { candidatesFor, type Candidates } from './completion/candidates.ts';
import { FILES_LINE, SHELL_SCRIPTS } from './completion/shell-scripts.ts';

/** The whole program, of which this command is a part. */
export interface WholeProgram {
  readonly names: () => readonly string[];
  /** Creates the program with the command that these arguments name. */
  readonly create: (args: readonly string[]) => Promise<Command>;
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const HOW: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: "echo 'source <(capillary-relay completion bash)' >> ~/.bashrc",
  zsh: "echo 'source <(capillary-relay completion zsh)' >> ~/.zshrc   # after compinit",
  fish: 'capillary-relay completion fish > ~/.config/fish/completions/capillary-relay.fish',
};

const HELP = `
The script asks capillary-relay for commands, options and their values, so it stays valid when the relay is updated.

Examples:
  $ capillary-relay completion bash
${SHELLS.map((shell) => `  $ ${HOW[shell]}`).join('\n')}`;

/** bash makes a word of its own of the `=` in `--state=dead`. */
function withoutEquals(words: readonly string[]): string[] {
  const plain = words.filter((word, index) => word !== '=' || index === words.length - 1);
  return plain.at(-1) === '=' ? [...plain.slice(0, -1), ''] : plain;
}

async function complete(program: WholeProgram, words: readonly string[]): Promise<Candidates> {
  const [name = ''] = words;
  if (words.length > 1)
    return program.names().includes(name)
      ? candidatesFor(await program.create([name]), words)
      : { candidates: [], files: false };
  // Only the names: loading every command for its description takes too long for a key press.
  const known = [...program.names(), '--help', '--version'].filter((word) => word.startsWith(name));
  return { candidates: known.map((value) => ({ value })), files: false };
}

function print({ candidates, files }: Candidates): void {
  const lines = candidates.map(({ value, description }) =>
    description === undefined || description === '' ? value : `${value}\t${description}`,
  );
  for (const line of [...lines, ...(files ? [FILES_LINE] : [])]) console.log(line);
}

/** Registers the command for a program. */
export function completionOf(whole: WholeProgram): (program: Command) => void {
  return (program) => {
    const group = program
      .command('completion')
      .description('print a script with which bash, zsh or fish completes commands, options and values')
      .addHelpText('after', HELP);
    for (const shell of SHELLS) {
      group
        .command(shell)
        .description(`print the script for ${shell}`)
        .addHelpText(
          'after',
          `\nExample:\n  $ capillary-relay completion ${shell}\n\nTo use it: ${HOW[shell]}`,
        )
        .action(() => void process.stdout.write(SHELL_SCRIPTS[shell]));
    }
    group
      .command('candidates', { hidden: true })
      .description('print the candidates for the last word; the scripts call it')
      .argument('[words...]', 'everything after the name of the program')
      .addHelpText('after', '\nExample:\n  $ capillary-relay completion candidates -- events --st')
      .action(async (words: readonly string[]) => print(await complete(whole, withoutEquals(words))));
  };
}
