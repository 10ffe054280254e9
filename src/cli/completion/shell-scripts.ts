/** A line of `completion candidates` that stands for names of files and folders. */
export const FILES_LINE = ':files';

const BASH = `# bash completion for capillary-relay: source <(capillary-relay completion bash)
_capillary_relay() {
  local line current="\${COMP_WORDS[COMP_CWORD]}"
  [[ $current == "=" ]] && current=""
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES_LINE} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" completion candidates -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _capillary_relay capillary-relay
`;

const ZSH = `#compdef capillary-relay
# zsh completion for capillary-relay: source <(capillary-relay completion zsh), after compinit
_capillary_relay() {
  local line files=0 found=1
  local -a values shown
  while IFS= read -r line; do
    if [[ $line == ${FILES_LINE} ]]; then
      files=1
    else
      values+=("\${line%%$'\\t'*}")
      shown+=("\${line/$'\\t'/  -- }")
    fi
  done < <("\${words[1]}" completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#values} )) && compadd -Q -l -d shown -a values && found=0
  (( files )) && _files && found=0
  return found
}
if [[ "$funcstack[1]" == _capillary_relay ]]; then
  _capillary_relay "$@"
else
  compdef _capillary_relay capillary-relay
fi
`;

const FISH = `# fish completion for capillary-relay: capillary-relay completion fish | source
function __capillary_relay_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] completion candidates -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = "${FILES_LINE}"
            __fish_complete_path "$current"
        else
            printf '%s\\n' $line
        end
    end
end
complete -c capillary-relay -f -a '(__capillary_relay_candidates)'
`;

/** The completion script of each shell. It asks the program itself for the candidates. */
export const SHELL_SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
