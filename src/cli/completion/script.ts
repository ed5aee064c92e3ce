import { fishScript } from './fish.ts';
import { posixFunctions } from './posix.ts';
import { completionTable, type CompletionTable } from './table.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** The completion script of a shell: static text, which asks xdpctl only for what the system has at that moment. */
export async function completionScript(shell: Shell): Promise<string> {
  const table = await completionTable();
  switch (shell) {
    case 'bash':
      return bashScript(table);
    case 'zsh':
      return zshScript(table);
    case 'fish':
      return fishScript(table);
  }
}

function bashScript(table: CompletionTable): string {
  return `# Completion of xdpctl for bash, made by: xdpctl completion bash
${posixFunctions(table)}
_xdpctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} word
  COMPREPLY=()
  while IFS= read -r word; do
    if [[ $word == @files ]]; then
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
    elif [[ $word == "$current"* ]]; then
      printf -v word %q "$word"
      COMPREPLY+=("$word")
    fi
  done < <(_xdpctl_candidates "$current" "\${COMP_WORDS[@]:1:COMP_CWORD-1}")
}
complete -F _xdpctl xdpctl
`;
}

function zshScript(table: CompletionTable): string {
  return `#compdef xdpctl
# Completion of xdpctl for zsh, made by: xdpctl completion zsh
${posixFunctions(table)}
_xdpctl() {
  local word
  local -a found
  while IFS= read -r word; do
    if [[ $word == @files ]]; then _files; else found+=("$word"); fi
  done < <(_xdpctl_candidates "$PREFIX" "\${(@)words[2,CURRENT-1]}")
  compadd -a found
}
if [ "$funcstack[1]" = _xdpctl ]; then _xdpctl "$@"; else compdef _xdpctl xdpctl; fi
`;
}
