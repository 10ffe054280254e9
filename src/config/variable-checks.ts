import type { Finding, Path } from './config-error.ts';
import { isSecretKey } from './field-types.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `$NAME`, `$(NAME)` and `%NAME%`: how other programs write a variable. */
const WHOLE = /^(?:\$([A-Z_][A-Z0-9_]*)|\$\(([A-Za-z_]\w*)\)|%([A-Z_][A-Z0-9_]+)%)$/;
const INSIDE = /\$(?:([A-Z_][A-Z0-9_]{2,})|\(([A-Z_][A-Z0-9_]{2,})\))/g;

/** JSONata writes its functions and variables as `$name`. */
const EXPRESSIONS = 'overrides';

function isSecret(path: Path): boolean {
  return path.some(isSecretKey);
}

/** Words such as in IMS_CLIENT_SECRET; no random text looks like that. */
const WORDS = /^[A-Z]{2,}(_[A-Z]{2,}\d?)+$/;

/** What looks like the name of a variable can be a part of a secret. */
function isName(text: string, path: Path, env: Environment): boolean {
  return !isSecret(path) || WORDS.test(text) || env[text] !== undefined;
}

function findingFor(template: string, path: Path, env: Environment): Finding[] {
  const whole = WHOLE.exec(template);
  if (whole !== null) {
    const given = whole[1] ?? whole[2] ?? whole[3] ?? '';
    const name = isName(given, path, env) ? given : 'NAME';
    return [
      {
        path,
        message: 'is the name of a variable and not its value: only ${NAME}, with braces, is replaced',
        fix: `write \${${name}}; if the value itself looks like that, put it in a variable or a file`,
      },
    ];
  }
  const inside = [...template.matchAll(INSIDE)].map((match) => match[1] ?? match[2] ?? '');
  if (!inside.some((name) => isName(name, path, env))) return [];
  return [
    {
      path,
      message: 'contains what looks like a variable: only ${NAME}, with braces, is replaced',
      fix: 'write the name of the variable in braces: ${NAME}',
      severity: 'warning',
    },
  ];
}

/**
 * Variables in the file that are not written as placeholders.
 * @param tree before placeholders are replaced
 */
export function variableFindings(tree: unknown, env: Environment, path: Path = []): Finding[] {
  if (typeof tree === 'string') return findingFor(tree, path, env);
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) =>
    key === EXPRESSIONS
      ? []
      : variableFindings(value, env, [...path, Array.isArray(tree) ? Number(key) : key]),
  );
}
