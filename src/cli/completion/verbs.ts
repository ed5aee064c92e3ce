import type { Outcome } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { completionScript, type Shell } from './script.ts';

/** The verbs of `completion`, one for each shell. */
export const completionVerbs = {
  bash: completionVerb('bash', 'source <(xdpctl completion bash)', '/usr/share/bash-completion/completions/xdpctl'),
  zsh: completionVerb('zsh', 'source <(xdpctl completion zsh)', 'a file _xdpctl in a directory of $fpath'),
  fish: completionVerb('fish', 'xdpctl completion fish | source', '~/.config/fish/completions/xdpctl.fish'),
} as const satisfies Record<Shell, Verb>;

function completionVerb(shell: Shell, command: string, file: string): Verb {
  return {
    object: 'completion',
    name: shell,
    summary: `print the completion script for ${shell}`,
    synopsis: [''],
    description: [
      `For this shell: \`${command}\`. For good: into ${file}.`,
      'The script knows objects, verbs, keywords and options by itself, and asks xdpctl for the interfaces, pins, maps and programs that there are.',
    ],
    json: 'an object: shell and script',
    examples: [
      {
        command: `xdpctl completion ${shell}`,
        description: 'the script',
        output: `\n${shell === 'zsh' ? '#compdef xdpctl\n' : ''}# Completion of xdpctl for ${shell}, made by: xdpctl completion ${shell}\n…`,
      },
      {
        command: `xdpctl -j completion ${shell}`,
        description: 'the same as JSON',
        output: `{"shell":"${shell}","script":"…"}`,
      },
    ],
    async run(): Promise<Outcome> {
      const script = await completionScript(shell);
      return { kind: 'report', data: { shell, script }, text: script };
    },
  };
}
